package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.engine.ForkEngine;
import io.pilotlight.engine.ForkEngine.Frozen;
import io.pilotlight.engine.ForkEngine.NotAtRestException;
import io.pilotlight.engine.ForkServerOptions;
import io.pilotlight.engine.UnclonableException;
import io.pilotlight.linux.KernelException;
import io.pilotlight.zygote.BuildException.Fault;
import io.pilotlight.zygote.BuildProgress.Stage;
import io.pilotlight.zygote.JvmChannel.DeadlineException;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one JVM from its start to where it can be frozen, and freezes it. Used by one thread,
 * once.
 */
final class ZygoteBuilder {
  private static final Logger LOG = LoggerFactory.getLogger(ZygoteBuilder.class);
  private static final Duration QUIESCE_TIMEOUT = Duration.ofSeconds(60);

  /** How long a JVM may take to come to rest; after that it is frozen as it is, which works too. */
  private static final Duration REST_TIMEOUT = Duration.ofSeconds(10);

  private static final Duration REST_PAUSE = Duration.ofMillis(5);
  private static final int SETTLING_CALLS = 5;
  private static final int BURST_CALLS = 100;
  private static final int TAIL_BYTES = 4096;

  private final HostedJvm jvm;
  private final FunctionSpec spec;
  private final LongSupplier nanoTime;
  private final BuildProgress progress;
  private final Set<String> warnings = new LinkedHashSet<>();
  private boolean checkpointRequested;

  ZygoteBuilder(HostedJvm jvm, FunctionSpec spec, LongSupplier nanoTime, BuildProgress progress) {
    this.jvm = jvm;
    this.spec = spec;
    this.nanoTime = nanoTime;
    this.progress = progress;
  }

  /** What the function's owner should know. */
  List<String> warnings() {
    return List.copyOf(warnings);
  }

  /** Adds to them. */
  void warn(List<String> sentences) {
    warnings.addAll(sentences);
  }

  /**
   * The handler is constructed afterwards, or the function has asked for its checkpoint meanwhile.
   *
   * @param zygote whether the JVM is to be frozen
   */
  void initialise(Duration timeout, boolean zygote) throws BuildException {
    progress.at(Stage.INITIALISING, 0, 0);
    Frame.Init init =
        new Frame.Init(
            spec.name(),
            spec.version(),
            spec.handler(),
            spec.jars().stream().map(Object::toString).toList(),
            spec.layers().stream().map(Object::toString).toList(),
            spec.limits().memoryMib(),
            zygote);
    Frame answer = exchange(init, timeout, "start and initialise the function");
    if (answer instanceof Frame.Failed failed) {
      throw initialisationFailed(failed);
    }
    checkpointRequested = answer instanceof Frame.CheckpointRequested;
    if (!checkpointRequested) {
      require(answer, Frame.Ready.class);
    }
  }

  private BuildException initialisationFailed(Frame.Failed failed) {
    Failure failure = failed.failure();
    boolean own = failed.phase() == Frame.Phase.INITIALISATION;
    String message =
        own
            ? "The initialisation of handler " + spec.handler() + " threw " + failure.summary()
            : String.valueOf(failure.message());
    return new BuildException(
        own ? Fault.FUNCTION : Fault.CONFIGURATION,
        message,
        jvm.outputTail(TAIL_BYTES),
        failure,
        null);
  }

  /**
   * A warm-up call that fails is no reason not to go on, but is told. Ends early if the function
   * asks for its checkpoint.
   */
  void warm(Warmup warmup) throws BuildException, InterruptedException {
    if (warmup.payloads().isEmpty() || checkpointRequested) {
      return;
    }
    long end = nanoTime.getAsLong() + warmup.budget().toNanos();
    Settling settling = new Settling(warmup.count());
    int failures = 0;
    for (int i = 0; settling.mayCall(i) && nanoTime.getAsLong() < end; i++) {
      if (checkpointRequested) {
        break;
      }
      if (Thread.interrupted()) {
        throw new InterruptedException("build of a zygote of " + spec.name());
      }
      progress.at(Stage.WARMING, i, warmup.count());
      Failure failure = warmOnce(warmup, i);
      if (failure != null && failures++ == 0) {
        warnings.add("Warm-up call " + (i + 1) + " failed: " + failure.summary());
      }
      if (i % BURST_CALLS == BURST_CALLS - 1) {
        settling.idle(i + 1, awaitCompilers());
      }
    }
    if (failures > 1) {
      warnings.add(failures + " warm-up calls failed in all.");
    }
  }

  /**
   * HotSpot compiles a method the later the longer its queue is (CompilationPolicy::
   * threshold_scale): calls made meanwhile would count for nothing, and leave methods in code that
   * still counts, which in each clone costs a copied page for every counter.
   */
  private int awaitCompilers() throws BuildException {
    return require(
            exchange(new Frame.AwaitCompilers(), QUIESCE_TIMEOUT, "finish its compilations"),
            Frame.CompilersIdle.class)
        .latest();
  }

  /**
   * A few more calls after the collection: it has armed the entry barrier of every compiled method
   * again (HotSpot's barrierSetNMethod.cpp), and each clone would disarm those that it calls, at
   * the price of a copied page each.
   */
  void settle(Warmup warmup) throws BuildException {
    int calls = warmup.payloads().isEmpty() ? 0 : Math.min(warmup.count(), SETTLING_CALLS);
    for (int i = 0; i < calls && !checkpointRequested; i++) {
      // What fails here has failed during the warm-up already, and has been told.
      warmOnce(warmup, i);
    }
  }

  private @Nullable Failure warmOnce(Warmup warmup, int number) throws BuildException {
    byte[] payload = warmup.payloads().get(number % warmup.payloads().size());
    jvm.renewBeforeNext("warmup");
    try {
      Optional<Reply> reply =
          jvm.warm(new Invocation("warmup-" + number, Map.of(), payload), warmup.callTimeout());
      checkpointRequested = reply.isEmpty();
      return reply.orElse(null) instanceof Reply.Fault fault ? fault.failure() : null;
    } catch (FunctionJvm.NotStartedException | FunctionJvm.DiedException e) {
      throw function(
          "The function's process ended during warm-up call "
              + (number + 1)
              + ": "
              + e.getMessage());
    } catch (FunctionJvm.TimedOutException e) {
      throw function(
          "Warm-up call "
              + (number + 1)
              + " took longer than "
              + warmup.callTimeout().toMillis()
              + " ms.");
    }
  }

  /** Garbage is collected and the compiler idle afterwards. */
  void quiesce() throws BuildException {
    progress.at(Stage.QUIESCING, 0, 0);
    if (checkpointRequested) {
      return;
    }
    Frame answer = exchange(new Frame.Quiesce(), QUIESCE_TIMEOUT, "become quiet");
    warnings.addAll(require(answer, Frame.Quiesced.class).notes());
  }

  /**
   * The function's resources have been told of the checkpoint afterwards, and the JVM is quiet.
   *
   * @param timeout how long the resources may take
   */
  void checkpoint(Duration timeout) throws BuildException {
    Frame answer =
        exchange(
            new Frame.Checkpoint(), timeout.plus(QUIESCE_TIMEOUT), "tell resources of its freeze");
    if (answer instanceof Frame.Failed failed) {
      throw new BuildException(
          Fault.CHECKPOINT,
          "Function "
              + spec.name()
              + " cannot be frozen: "
              + failed.failure().message()
              + ". Mend the resource, or do not register it.",
          jvm.outputTail(TAIL_BYTES),
          failed.failure(),
          null);
    }
    warnings.addAll(require(answer, Frame.Checkpointed.class).notes());
  }

  /** Freezes it. */
  Frozen freeze(ForkEngine engine, int pid, ForkServerOptions options, boolean atRest)
      throws BuildException, InterruptedException {
    progress.at(Stage.FREEZING, 0, 0);
    try {
      Frozen frozen =
          TracerThread.start(pid, () -> freezeInTime(engine, pid, options, atRest)).get();
      warnings.addAll(frozen.notes());
      return frozen;
    } catch (ExecutionException e) {
      throw frozenFailed(e.getCause());
    }
  }

  private Frozen freezeInTime(ForkEngine engine, int pid, ForkServerOptions options, boolean atRest)
      throws IOException, UnclonableException, NotAtRestException {
    long end = nanoTime.getAsLong() + REST_TIMEOUT.toNanos();
    while (true) {
      boolean late = nanoTime.getAsLong() > end;
      try {
        return engine.freeze(pid, options, atRest && !late, !late);
      } catch (NotAtRestException e) {
        if (late) {
          throw e;
        }
        pause();
      }
    }
  }

  /** Lets the JVM run a little; ends early if it ends. */
  private void pause() throws EOFException {
    if (Ends.within(REST_PAUSE, List.of(jvm.exit()))) {
      throw new EOFException("the JVM " + jvm.exit().join() + " before it could be frozen");
    }
  }

  private BuildException frozenFailed(@Nullable Throwable cause) {
    String tail = jvm.outputTail(TAIL_BYTES);
    if (cause instanceof UnclonableException unclonable) {
      return new BuildException(
          Fault.UNCLONABLE,
          "Function "
              + spec.name()
              + " cannot be frozen. "
              + new Refusal(unclonable.obstacles()).describe(openings()),
          tail,
          null,
          unclonable);
    }
    return new BuildException(
        Fault.SYSTEM,
        "The JVM of "
            + spec.name()
            + " could not be frozen: "
            + (cause == null ? "unknown" : cause.getMessage())
            + ". 'pilotlight doctor' tells what this machine lacks.",
        tail,
        null,
        cause);
  }

  /** Where descriptors were opened; null if its JVM keeps no account, or cannot tell any more. */
  private @Nullable Map<Integer, String> openings() {
    if (!spec.descriptors().tracked()) {
      return null;
    }
    try {
      Frame answer = exchange(new Frame.TellOpenings(), QUIESCE_TIMEOUT, "tell what it has opened");
      Map<Integer, String> openings = new HashMap<>();
      require(answer, Frame.Openings.class)
          .stacks()
          .forEach((number, stack) -> openings.put(Integer.valueOf(number), stack));
      return openings;
    } catch (BuildException e) {
      LOG.warn("where descriptors of {} were opened is not known", spec.name(), e);
      return null;
    }
  }

  private Frame exchange(Frame frame, Duration timeout, String what) throws BuildException {
    try {
      return jvm.exchange(frame, nanoTime.getAsLong() + timeout.toNanos());
    } catch (DeadlineException e) {
      throw function("The JVM did not " + what + " within " + timeout.toMillis() + " ms.");
    } catch (IOException e) {
      if (e instanceof KernelException failure && !failure.peerGone()) {
        throw new BuildException(
            Fault.SYSTEM,
            "The JVM was to " + what + ", but could not be talked to: " + e.getMessage(),
            jvm.outputTail(TAIL_BYTES),
            null,
            e);
      }
      throw ended(what, e);
    }
  }

  private BuildException ended(String what, IOException cause) {
    ExitStatus status = jvm.awaitExit();
    String tail = jvm.outputTail(TAIL_BYTES);
    boolean refused = tail.contains("Could not create the Java Virtual Machine");
    return new BuildException(
        refused ? Fault.CONFIGURATION : Fault.FUNCTION,
        "The JVM "
            + jvm.ending(status)
            + " when it was to "
            + what
            + (cause instanceof KernelException ? " (" + cause.getMessage() + ")." : ".")
            + (refused ? " It does not accept its arguments: " + tail.strip() : ""),
        tail,
        null,
        null);
  }

  private BuildException function(String message) {
    return new BuildException(Fault.FUNCTION, message, jvm.outputTail(TAIL_BYTES), null, null);
  }

  private <F extends Frame> F require(Frame answer, Class<F> type) throws BuildException {
    if (type.isInstance(answer)) {
      return type.cast(answer);
    }
    throw new BuildException(
        Fault.SYSTEM,
        "The agent answered with a "
            + answer.name()
            + " frame where "
            + type.getSimpleName()
            + " was expected; agent and daemon are of different versions.",
        jvm.outputTail(TAIL_BYTES),
        null,
        null);
  }
}
