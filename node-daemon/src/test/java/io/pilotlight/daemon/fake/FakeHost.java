package io.pilotlight.daemon.fake;

import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.BuildProgress;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import io.pilotlight.zygote.FunctionJvm.TimedOutException;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import io.pilotlight.zygote.ZygoteHost;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** Processes and zygotes in memory, which can be made to fail: for tests of policy. */
public final class FakeHost implements ZygoteHost {
  /** What processes do with an invocation. */
  @FunctionalInterface
  public interface Behaviour {
    Reply call(FakeJvm jvm, Invocation invocation)
        throws NotStartedException, DiedException, TimedOutException;
  }

  /** Runs within each build, and each cold start. */
  @FunctionalInterface
  public interface Step {
    void run(FunctionSpec spec, BuildProgress progress) throws BuildException, InterruptedException;
  }

  /** The handler is entered one millisecond after the call, and echoes. */
  public static final Behaviour ECHO =
      (jvm, invocation) -> success(System.nanoTime(), invocation.payload());

  private final AtomicInteger ids = new AtomicInteger();
  private final List<FakeZygote> zygotes = new CopyOnWriteArrayList<>();
  private final List<FakeJvm> jvms = new CopyOnWriteArrayList<>();
  private final Map<Path, FunctionSpec> images = new ConcurrentHashMap<>();
  private final List<Zygote> toAdopt = new ArrayList<>();
  private volatile Behaviour behaviour = ECHO;
  private volatile Step buildStep = (spec, progress) -> {};
  private volatile Step coldStep = (spec, progress) -> {};
  private volatile boolean closed;
  private volatile boolean recordsFirstCalls;
  private volatile boolean imagesDamaged;

  /** An answer. */
  public static Reply success(long enteredNanos, byte[] payload) {
    return new Reply.Success(enteredNanos, enteredNanos + 1_000_000, payload);
  }

  /** What all processes do from now on. */
  public void behave(Behaviour next) {
    behaviour = next;
  }

  /** Has the first call of every process recorded. */
  public void recordFirstCalls() {
    recordsFirstCalls = true;
  }

  boolean recordsFirstCalls() {
    return recordsFirstCalls;
  }

  Behaviour behaviour() {
    return behaviour;
  }

  /** What happens within builds from now on. */
  public void whileBuilding(Step step) {
    buildStep = step;
  }

  /** What happens within cold starts from now on. */
  public void whileStartingCold(Step step) {
    coldStep = step;
  }

  /** No image that is written from now on can be restored. */
  public void damageImages() {
    imagesDamaged = true;
  }

  /** A zygote that an earlier daemon left. */
  public FakeZygote leave(FunctionSpec spec) {
    FakeZygote zygote =
        new FakeZygote("z-old-" + ids.incrementAndGet(), spec, this, true, Zygote.Kind.MEMORY);
    toAdopt.add(zygote);
    return zygote;
  }

  /** The zygotes that were built, the newest last. */
  public List<FakeZygote> zygotes() {
    return zygotes;
  }

  /** The zygote that was built last. */
  public FakeZygote newest() {
    return zygotes.get(zygotes.size() - 1);
  }

  /** Every process that was made. */
  public List<FakeJvm> jvms() {
    return jvms;
  }

  /** Whether {@link #close} was called. */
  public boolean closed() {
    return closed;
  }

  FakeJvm newJvm(String how) {
    FakeJvm jvm = new FakeJvm(how + "-" + ids.incrementAndGet(), this);
    jvms.add(jvm);
    return jvm;
  }

  @Override
  public Zygote build(
      FunctionSpec spec, Warmup warmup, Duration initTimeout, BuildProgress progress)
      throws BuildException, InterruptedException {
    progress.at(BuildProgress.Stage.STARTING, 0, 0);
    buildStep.run(spec, progress);
    FakeZygote zygote =
        new FakeZygote("z-" + ids.incrementAndGet(), spec, this, false, Zygote.Kind.MEMORY);
    zygotes.add(zygote);
    return zygote;
  }

  @Override
  public ImageSummary writeImage(Zygote zygote, Path directory) {
    images.put(directory, zygote.spec());
    return new ImageSummary(
        directory,
        zygote.id(),
        "2026-01-01T00:00:00Z",
        zygote.spec(),
        50_000_000,
        40_000_000,
        1_767_225_600_000L);
  }

  @Override
  public void rehearse(Path directory, Warmup warmup) {}

  @Override
  public Zygote restore(Path directory, boolean replay) throws ImageException {
    FunctionSpec spec = images.get(directory);
    if (spec == null || imagesDamaged) {
      throw new ImageException(ImageException.Reason.DAMAGED, "no image in " + directory);
    }
    FakeZygote zygote =
        new FakeZygote("z-" + ids.incrementAndGet(), spec, this, false, Zygote.Kind.IMAGE);
    zygotes.add(zygote);
    return zygote;
  }

  @Override
  public FunctionJvm startCold(FunctionSpec spec, Duration initTimeout)
      throws BuildException, InterruptedException {
    coldStep.run(spec, BuildProgress.NONE);
    return newJvm("cold");
  }

  @Override
  public Adoption adopt() {
    return new Adoption(toAdopt, List.of("process 1 ended: nobody knows it"));
  }

  @Override
  public void close() {
    closed = true;
    zygotes.forEach(FakeZygote::close);
    jvms.forEach(FakeJvm::close);
  }
}
