package io.pilotlight.recorder;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * What the first call in a clone touches, merged from the recordings of several: a page belongs to
 * it if at least half of the latest recordings have it, so that one odd call adds nothing. It holds
 * for clones of one zygote, whose addresses they share. Not thread-safe.
 */
public final class WorkingSet {
  /** How many recordings count; older ones are forgotten. */
  public static final int MAX_RECORDINGS = 16;

  private final Deque<Recording> recordings = new ArrayDeque<>();

  /** Adds one. */
  public void add(Recording recording) {
    if (recordings.size() == MAX_RECORDINGS) {
      recordings.removeFirst();
    }
    recordings.addLast(recording);
  }

  /** How many recordings it was merged from, at most {@value #MAX_RECORDINGS}. */
  public int recordings() {
    return recordings.size();
  }

  /** The pages that most calls touch; none without a recording. */
  public Recording usual() {
    int half = Math.max(1, (recordings.size() + 1) / 2);
    List<PageSet> written = recordings.stream().map(Recording::written).toList();
    List<PageSet> file = recordings.stream().map(Recording::file).toList();
    return new Recording(PageSet.inAtLeast(half, written), PageSet.inAtLeast(half, file));
  }

  /**
   * What it consists of.
   *
   * @param regions what lies where in the process
   */
  public WorkingSetReport report(List<NamedRegion> regions) {
    return WorkingSetReport.of(List.copyOf(recordings), usual(), regions);
  }
}
