package io.pilotlight.zygote;

import io.pilotlight.engine.ForkServerClient;
import io.pilotlight.engine.Placement;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.recorder.Fit;
import io.pilotlight.recorder.ImageSet;
import io.pilotlight.recorder.MemoryRegion;
import io.pilotlight.recorder.NamedRegion;
import io.pilotlight.recorder.PageMap;
import io.pilotlight.recorder.PageSet;
import io.pilotlight.recorder.Recording;
import io.pilotlight.recorder.ReplayPlan;
import io.pilotlight.recorder.WorkingSet;
import io.pilotlight.recorder.WorkingSetReport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the working set of one zygote: chooses the clones whose first call is recorded, records
 * them, and holds the requests by which other clones replay it. Thread-safe; only a recording takes
 * a lock.
 */
final class CloneRecorder {
  private static final Logger LOG = LoggerFactory.getLogger(CloneRecorder.class);

  /** So many first calls are recorded, then a small share. */
  static final int RECORDED_AT_FIRST = 4;

  private static final int ONE_IN = 256;

  /** Of so many clones that wait, one has the page faults of its first call counted. */
  private static final int COUNTED_ONE_IN = 16;

  private final ForkServerClient client;
  private final Placement placement;
  private final List<MemoryRegion> regions;
  private final WorkingSet workingSet = new WorkingSet();
  private volatile State state;
  private final AtomicInteger forks = new AtomicInteger();
  private final LongAdder replayedPages = new LongAdder();
  private final ForkServerClient.Request plain;
  private volatile boolean replaying = true;

  /** Of the calls that were recorded, with what was known before each. */
  private volatile Fit fit = Fit.NONE;

  /**
   * Knows what was recorded before.
   *
   * @param pid the zygote, frozen for good
   * @param placement how its clones get into their control groups
   * @param known what is known of its clones already
   */
  CloneRecorder(int pid, ForkServerClient client, Placement placement, ImageSet known)
      throws IOException {
    this.client = client;
    this.placement = placement;
    this.regions = regions(ProcFs.mappings(pid));
    this.plain = client.request(ReplayPlan.NONE, placement);
    for (int i = 0; i < known.recordings(); i++) {
      workingSet.add(known.usual());
    }
    this.state = state();
  }

  /** What follows from the recordings so far. */
  private record State(
      int recordings,
      Recording usual,
      ForkServerClient.Request ahead,
      ForkServerClient.Request onDemand) {}

  private static List<MemoryRegion> regions(List<ProcFs.Mapping> mappings) {
    List<MemoryRegion> regions = new ArrayList<>();
    for (ProcFs.Mapping mapping : mappings) {
      String permissions = mapping.permissions();
      boolean ofKernel = mapping.path().startsWith("[v");
      if (permissions.charAt(0) != 'r' || ofKernel || mapping.writableShared()) {
        continue;
      }
      boolean writable = permissions.charAt(1) == 'w';
      if (writable || mapping.inode() != 0) {
        MemoryRegion.Kind kind = writable ? MemoryRegion.Kind.WRITABLE : MemoryRegion.Kind.FILE;
        regions.add(new MemoryRegion(mapping.start(), mapping.end(), kind));
      }
    }
    return regions;
  }

  /** Whether the next clone's first call is to be recorded; that clone replays nothing. */
  boolean chooses() {
    int fork = forks.incrementAndGet();
    return state.recordings() < RECORDED_AT_FIRST || fork % ONE_IN == 0;
  }

  /** Whether a clone that waits is to have the page faults of its first call counted. */
  boolean counts(HostedJvm clone) {
    return clone.records() || forks.get() % COUNTED_ONE_IN == 0;
  }

  /** Whether clones that are made from now on replay anything. */
  void replaying(boolean on) {
    replaying = on;
  }

  /** Whether they do. */
  boolean replaying() {
    return replaying;
  }

  /** The request for a clone that replays nothing. */
  ForkServerClient.Request plain() {
    return plain;
  }

  /** For a clone that waits: touches all that most first calls touch. */
  ForkServerClient.Request ahead() {
    return replaying ? state.ahead() : plain;
  }

  /**
   * For a clone whose call waits for it: touches only what is written. Pages of files are mapped
   * sixteen at a time when they are needed, which costs less than to map them all.
   */
  ForkServerClient.Request onDemand() {
    return replaying ? state.onDemand() : plain;
  }

  /** Records what a clone has touched that was chosen, after its first call. */
  synchronized void record(int pid) {
    try {
      Recording recording = PageMap.touched(pid, regions);
      if (workingSet.recordings() > 0) {
        fit = fit.plus(Fit.of(state.usual(), recording));
      }
      workingSet.add(recording);
      state = state();
      LOG.debug("recorded {}; most calls touch {}", recording, state.usual());
    } catch (IOException e) {
      LOG.debug("the first call of process {} was not recorded", pid, e);
    }
  }

  private State state() {
    Recording usual = workingSet.usual();
    return new State(
        workingSet.recordings(),
        usual,
        request(usual),
        request(new Recording(usual.written(), PageSet.empty())));
  }

  private ForkServerClient.Request request(Recording set) {
    return client.request(ReplayPlan.of(set, regions, ForkServerClient.MAX_RANGES), placement);
  }

  /** Counts a request that was answered with a process id or an error. */
  void answered(ForkServerClient.Request request, long result) {
    if (result > 0) {
      replayedPages.add(request.pages());
    }
  }

  /** What the working set consists of. */
  synchronized WorkingSetReport report(List<NamedRegion> named) {
    return workingSet.report(named);
  }

  /** What came of it so far. */
  Replay replay() {
    State current = state;
    Recording usual = current.usual();
    return new Replay(
        current.recordings(),
        usual.written().pages(),
        usual.file().pages(),
        replayedPages.sum(),
        0,
        0,
        fit);
  }
}
