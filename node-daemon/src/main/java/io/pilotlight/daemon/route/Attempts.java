package io.pilotlight.daemon.route;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame.FaultKind;
import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.ReplayTrial;
import io.pilotlight.daemon.function.ZygoteTenure;
import io.pilotlight.daemon.metrics.NodeMetrics;
import io.pilotlight.daemon.pool.ServingJvm;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import io.pilotlight.zygote.FunctionJvm.TimedOutException;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Zygote;
import io.pilotlight.zygote.ZygoteHost;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The starts that are tried for one invocation, from the fastest to the slowest, until a process
 * has been handed the request. Used by one thread.
 */
final class Attempts {
  private static final Logger log = LoggerFactory.getLogger(Attempts.class);

  /** As much of the log as the Lambda API returns. */
  private static final int LOG_TAIL_BYTES = 4 << 10;

  /** How often one that waits for its turn to start a JVM looks for a process that became free. */
  private static final long COLD_QUEUE_POLL_MILLIS = 10;

  private final Deployment deployment;
  private final Call call;
  private final ZygoteHost host;
  private final NodeMetrics metrics;
  private final NodeClock clock;

  /** A start that failed, and was not followed by another yet. */
  private @Nullable Failed failed;

  private @Nullable ServingJvm toStop;
  private @Nullable ServingJvm toRecord;
  private @Nullable ServingJvm fromPool;

  /** When the start was chosen that is under way, if that is one on demand. */
  private long decidedNanos;

  /** Whether that start's clone replays. */
  private boolean replays;

  private @Nullable ReplayTrial toJudge;

  private record Failed(Start start, String reason, String message) {}

  Attempts(
      Deployment deployment, Call call, ZygoteHost host, NodeMetrics metrics, NodeClock clock) {
    this.deployment = deployment;
    this.call = call;
    this.host = host;
    this.metrics = metrics;
    this.clock = clock;
  }

  Outcome run() {
    Outcome outcome = wants(Start.WARM) ? warm() : null;
    if (outcome == null && wants(Start.POOL)) {
      outcome = pooled();
    }
    if (outcome == null) {
      outcome = onDemand();
    }
    if (outcome == null && wants(Start.COLD)) {
      outcome = cold();
    }
    return outcome == null ? notPossible() : outcome;
  }

  /** What nobody waits for; after the answer has been sent. */
  void afterwards() {
    if (fromPool != null) {
      fromPool
          .jvm()
          .firstCallFaults()
          .ifPresent(faults -> metrics.firstCall(deployment.definition().name(), faults));
    }
    if (toJudge != null) {
      toJudge.judge();
    }
    if (toRecord != null) {
      // It may serve another call meanwhile, and what that touches be taken for the first one's:
      // several recordings are merged, and one that has more than the others changes nothing.
      toRecord.jvm().recordFirstCall();
    }
    if (toStop != null) {
      deployment.stop(toStop);
    }
    deployment.refill();
  }

  /**
   * Whether resources of the function did not come back in a clone: in the next one they would not.
   */
  private boolean restoreFailed() {
    return failed != null && failed.reason().equals(NotStartedException.RESTORE_FAILED);
  }

  private boolean wants(Start start) {
    return call.asked() == null || call.asked() == start;
  }

  private @Nullable Outcome warm() {
    for (ServingJvm jvm = deployment.takeWarm(); jvm != null; jvm = deployment.takeWarm()) {
      Outcome outcome = serve(Start.WARM, jvm);
      if (outcome != null) {
        return outcome;
      }
    }
    return null;
  }

  private @Nullable Outcome pooled() {
    for (ServingJvm jvm = deployment.takePooled(); jvm != null; jvm = deployment.takePooled()) {
      Outcome outcome = serve(Start.POOL, jvm);
      if (outcome != null || restoreFailed()) {
        return outcome;
      }
    }
    return null;
  }

  /** A fork or a restore: what the caller asked for, or both one after the other. */
  private @Nullable Outcome onDemand() {
    boolean restoreFirst =
        call.asked() == null
            && !restoreFailed()
            && deployment.zygote() != null
            && deployment.image() != null
            && deployment.tenure().next() == Start.RESTORE;
    Outcome outcome = restoreFirst ? restore() : null;
    if (outcome == null && wants(Start.FORK) && !restoreFailed()) {
      outcome = fork();
    }
    if (outcome == null && wants(Start.RESTORE) && !restoreFirst) {
      outcome = restore();
    }
    return outcome;
  }

  private @Nullable Outcome fork() {
    if (call.asked() == Start.FORK) {
      deployment.tenure().forkAskedFor();
    }
    Zygote zygote = deployment.zygote();
    if (zygote == null) {
      // After a restart of the daemon an image serves as well, and nothing has failed.
      if (call.asked() != null || deployment.zygoteLost() || deployment.image() == null) {
        failed(Start.FORK, "no-zygote", "the function has no zygote at the moment");
      }
      return null;
    }
    deployment.tenure().forked();
    return clone(Start.FORK, zygote);
  }

  private @Nullable Outcome restore() {
    Deployment.Image image = deployment.image();
    if (image != null) {
      return clone(Start.RESTORE, image.blank());
    }
    ImageException failure = deployment.imageFailure();
    if (failure != null) {
      failed(Start.RESTORE, Deployment.reason(failure), String.valueOf(failure.getMessage()));
    }
    return null;
  }

  private @Nullable Outcome clone(Start start, Zygote zygote) {
    decidedNanos = clock.nanoTime();
    try {
      replays = deployment.replayTrial(start).next();
      return serve(start, deployment.register(zygote.fork(replays), start, ServingJvm.State.BUSY));
    } catch (NotStartedException e) {
      if (call.asked() != null || !deployment.endedOnPurpose(zygote)) {
        failed(start, e.reason(), String.valueOf(e.getMessage()));
      }
      return null;
    }
  }

  private @Nullable Outcome cold() {
    Semaphore turns = deployment.coldStarts();
    Duration initTimeout = deployment.definition().initTimeout();
    long deadline = clock.nanoTime() + initTimeout.toNanos();
    try {
      while (!turns.tryAcquire(COLD_QUEUE_POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        Outcome outcome = wants(Start.WARM) ? warm() : null;
        if (outcome != null) {
          return outcome;
        }
        if (clock.nanoTime() - deadline >= 0) {
          return new Outcome.Unavailable(
              Outcome.Reason.STARTS_FAILED,
              "no process became free within "
                  + initTimeout.toSeconds()
                  + " s, and so many JVMs"
                  + " of function '"
                  + deployment.definition().name()
                  + "' are starting already"
                  + " that another one may not");
        }
      }
      ServingJvm jvm;
      try {
        noteFallback(Start.COLD);
        jvm =
            deployment.register(
                host.startCold(deployment.spec(), initTimeout), Start.COLD, ServingJvm.State.BUSY);
      } finally {
        turns.release();
      }
      return serve(Start.COLD, jvm);
    } catch (BuildException e) {
      return new Outcome.NotInitialised(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Outcome.Unavailable(Outcome.Reason.STOPPING, "the daemon is stopping");
    }
  }

  /** Hands the request over; null if that failed, and another start may be tried. */
  private @Nullable Outcome serve(Start start, ServingJvm serving) {
    noteFallback(start);
    serving.busy();
    String id = serving.jvm().id();
    Duration timeout = deployment.definition().timeout();
    boolean answered = false;
    try {
      if (call.wantsLog()) {
        serving.jvm().markOutput();
      }
      Reply reply = serving.jvm().invoke(call.invocation(), timeout);
      String output = call.wantsLog() ? serving.jvm().outputSinceMark(LOG_TAIL_BYTES) : "";
      if (start == Start.POOL) {
        deployment.pooledServed();
        fromPool = serving;
      }
      answered = true;
      if (serving.jvm().records()) {
        toRecord = serving;
      } else if ((start == Start.FORK || start == Start.RESTORE) && reply.enteredNanos() != 0) {
        measured(start, reply.finishedNanos() - decidedNanos);
      }
      // Before the answer is sent: the caller's next request may then be served by it.
      if (!deployment.keep(serving)) {
        toStop = serving;
      }
      return answered(start, id, bounded(reply), output);
    } catch (NotStartedException e) {
      failed(start, e.reason(), String.valueOf(e.getMessage()));
      return null;
    } catch (DiedException e) {
      return new Outcome.Died(start, id, e);
    } catch (TimedOutException e) {
      return new Outcome.TimedOut(start, id, timeout);
    } finally {
      if (!answered) {
        serving.jvm().close();
      }
    }
  }

  /** The first call in a clone that was made on demand was answered. */
  private void measured(Start start, long nanos) {
    // Those that try the other way too: they are as many of the forks as of the restores.
    deployment.tenure().measured(start, nanos);
    if (deployment.definition().settings().replay()) {
      toJudge = deployment.replayTrial(start);
      toJudge.add(replays, nanos);
    }
  }

  /** An answer that is larger than the function's own limit is none. */
  private Reply bounded(Reply reply) {
    int most = deployment.definition().settings().maxAnswerBytes();
    if (most == 0
        || !(reply instanceof Reply.Success success)
        || success.payload().length <= most) {
      return reply;
    }
    Failure failure =
        new Failure(
            Failure.RESPONSE_TOO_LARGE,
            "Response payload size ("
                + success.payload().length
                + " bytes) exceeded maximum allowed payload size ("
                + most
                + " bytes).",
            List.of(),
            null);
    return new Reply.Fault(
        FaultKind.HANDLER, success.enteredNanos(), success.finishedNanos(), failure);
  }

  private Outcome answered(Start start, String id, Reply reply, String output) {
    boolean entered = reply.enteredNanos() != 0;
    return new Outcome.Answered(
        start,
        id,
        reply,
        entered ? reply.enteredNanos() - call.acceptedNanos() : -1,
        entered ? reply.finishedNanos() - reply.enteredNanos() : -1,
        output);
  }

  private void failed(Start start, String reason, String message) {
    failed = new Failed(start, reason, message);
  }

  private void noteFallback(Start to) {
    Failed from = failed;
    if (from == null) {
      return;
    }
    failed = null;
    metrics.fallback(from.start(), to, from.reason());
    log.atWarn()
        .addKeyValue("function", deployment.definition().name())
        .addKeyValue("request", call.invocation().requestId())
        .addKeyValue("from", from.start().word())
        .addKeyValue("to", to.word())
        .addKeyValue("reason", from.reason())
        .addKeyValue("message", from.message())
        .log("start fell back");
  }

  private String noZygote() {
    ZygoteTenure.End end = deployment.tenure().end();
    if (end != null) {
      return "its zygote in memory was ended ("
          + end.message()
          + "), and 'restore' serves in its place; deploy it with zygoteMode 'memory' to keep one";
    }
    return deployment.image() != null && !deployment.zygoteLost()
        ? "it was restored from its image and has no zygote in memory, 'restore' serves in its"
            + " place; deploy it again to have one"
        : "it has no zygote at the moment; try again when its state is 'ready'";
  }

  private Outcome notPossible() {
    Start asked = call.asked();
    String name = deployment.definition().name();
    Failed last = failed;
    if (last != null && !last.reason().equals("no-zygote")) {
      return new Outcome.Unavailable(
          Outcome.Reason.STARTS_FAILED,
          "start '"
              + last.start().word()
              + "' of function '"
              + name
              + "' failed: "
              + last.message());
    }
    String why =
        asked == Start.WARM
            ? "no process that has served is idle; invoke it by another start first"
            : asked == Start.POOL
                ? "no clone waits in its pool of "
                    + deployment.definition().settings().pool()
                    + "; try again when it has been refilled"
                : asked == Start.RESTORE
                    ? deployment.definition().settings().noImage()
                        ? "it was deployed with noImage"
                        : "its image is not ready yet; try again when 'image' is there"
                    : noZygote();
    return new Outcome.Unavailable(
        Outcome.Reason.START_NOT_POSSIBLE,
        "start '"
            + (asked == null ? "auto" : asked.word())
            + "' of function '"
            + name
            + "' is not possible: "
            + why);
  }
}
