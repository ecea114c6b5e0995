package io.pilotlight.daemon.fake;

import io.pilotlight.recorder.Fit;
import io.pilotlight.recorder.NamedRegion;
import io.pilotlight.recorder.PageSet;
import io.pilotlight.recorder.Recording;
import io.pilotlight.recorder.WorkingSet;
import io.pilotlight.recorder.WorkingSetReport;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Replay;
import io.pilotlight.zygote.Zygote;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A zygote in memory. */
public final class FakeZygote implements Zygote {
  private final String id;
  private final FunctionSpec spec;
  private final FakeHost host;
  private final boolean adopted;
  private volatile boolean replaying = true;
  private final Kind kind;
  private final CompletableFuture<ExitStatus> lost = new CompletableFuture<>();
  private volatile @Nullable NotStartedException forkFailure;

  FakeZygote(String id, FunctionSpec spec, FakeHost host, boolean adopted, Kind kind) {
    this.id = id;
    this.spec = spec;
    this.host = host;
    this.adopted = adopted;
    this.kind = kind;
  }

  /** Every fork fails like this from now on; null for none. */
  public void failForks(@Nullable NotStartedException failure) {
    forkFailure = failure;
  }

  /** It is killed. */
  public void lose() {
    lost.complete(new ExitStatus.Signalled(9));
  }

  /** Whether its process has ended. */
  public boolean ended() {
    return lost.isDone();
  }

  @Override
  public Kind kind() {
    return kind;
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public long pid() {
    return 4141;
  }

  @Override
  public FunctionSpec spec() {
    return spec;
  }

  @Override
  public State state() {
    return ended() ? State.LOST : State.FROZEN;
  }

  @Override
  public int threads() {
    return 12;
  }

  @Override
  public long residentBytes() {
    return 100_000_000;
  }

  @Override
  public List<String> warnings() {
    return List.of("a warm-up call failed");
  }

  @Override
  public Replay replay() {
    return new Replay(4, 130, 1_500, 12_000, 900, 2, new Fit(1_600, 30, 20));
  }

  @Override
  public void replaying(boolean on) {
    replaying = on;
  }

  /** Whether its clones were to replay when it was last said. */
  public boolean replaying() {
    return replaying;
  }

  @Override
  public WorkingSetReport workingSet() {
    WorkingSet set = new WorkingSet();
    PageSet written = new PageSet.Builder().add(0x10000, 0x12000).build();
    set.add(new Recording(written, PageSet.empty()));
    return set.report(List.of(new NamedRegion(0x10000, 0x20000, "java heap")));
  }

  @Override
  public boolean adopted() {
    return adopted;
  }

  @Override
  public FunctionJvm fork(boolean replay) throws NotStartedException {
    return clone("fork");
  }

  @Override
  public FunctionJvm forkAhead() throws NotStartedException {
    return clone("ahead");
  }

  private FakeJvm clone(String how) throws NotStartedException {
    NotStartedException failure = forkFailure;
    if (failure != null) {
      throw failure;
    }
    if (ended()) {
      throw new NotStartedException("zygote-lost", "zygote " + id + " is lost");
    }
    return host.newJvm(how);
  }

  @Override
  public CompletableFuture<ExitStatus> lost() {
    return lost;
  }

  @Override
  public void retire() {
    lose();
  }

  @Override
  public void close() {
    lose();
  }
}
