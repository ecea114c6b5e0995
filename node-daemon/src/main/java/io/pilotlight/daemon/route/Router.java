package io.pilotlight.daemon.route;

import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.metrics.FunctionSeries;
import io.pilotlight.daemon.metrics.FunctionSeries.Result;
import io.pilotlight.daemon.metrics.NodeMetrics;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.ZygoteHost;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves invocations on the calling thread: chooses a process, hands the request over, waits for
 * the answer. Thread-safe and without locks.
 */
public final class Router {
  private static final Logger log = LoggerFactory.getLogger(Router.class);

  private final ZygoteHost host;
  private final NodeMetrics metrics;
  private final NodeClock clock;

  /** Starts cold JVMs by {@code host}. */
  public Router(ZygoteHost host, NodeMetrics metrics, NodeClock clock) {
    this.host = host;
    this.metrics = metrics;
    this.clock = clock;
  }

  /**
   * Serves one invocation. Takes as long as the function does, up to its time-out (and for a cold
   * start its initialisation).
   *
   * @return the outcome; to be closed after the answer has been sent
   */
  public Served invoke(ServedFunction function, Call call) {
    Deployment deployment = function.lease();
    if (deployment == null) {
      return new Served(unavailable(function), () -> {}); // it has no series yet, or none any more
    }
    FunctionSeries series = metrics.function(function.name());
    boolean admitted = false;
    boolean complete = false;
    try {
      int limit = deployment.definition().settings().concurrency();
      admitted = function.admit(limit);
      Attempts attempts = new Attempts(deployment, call, host, metrics, clock);
      Outcome outcome = admitted ? attempts.run() : new Outcome.Throttled(limit);
      long totalNanos = clock.nanoTime() - call.acceptedNanos();
      complete = true;
      return new Served(
          outcome,
          () -> {
            attempts.afterwards();
            deployment.leave();
            record(function.name(), call, series, outcome, totalNanos);
          });
    } finally {
      if (admitted) {
        function.dismiss();
      }
      if (!complete) {
        deployment.leave();
      }
    }
  }

  private static Outcome unavailable(ServedFunction function) {
    return function.removed()
        ? new Outcome.Unavailable(
            Outcome.Reason.REMOVED, "function '" + function.name() + "' has just been removed")
        : new Outcome.Unavailable(
            Outcome.Reason.BUILDING,
            "function '"
                + function.name()
                + "' is being built for the first time; try again when its state is 'ready'");
  }

  private static void record(
      String function, Call call, FunctionSeries series, Outcome outcome, long totalNanos) {
    if (outcome instanceof Outcome.Answered answered) {
      Result result = answered.reply() instanceof Reply.Success ? Result.SUCCESS : Result.ERROR;
      series.invoked(answered.start(), result, answered.startNanos(), totalNanos);
    } else if (outcome instanceof Outcome.Died died) {
      log(function, call, died, String.valueOf(died.cause().getMessage()));
      series.invoked(died.start(), Result.DIED, -1, totalNanos);
    } else if (outcome instanceof Outcome.TimedOut timedOut) {
      log(function, call, timedOut, "no answer within " + timedOut.timeout().toSeconds() + " s");
      series.invoked(timedOut.start(), Result.TIMEOUT, -1, totalNanos);
    } else if (outcome instanceof Outcome.Throttled) {
      series.refused(Result.THROTTLED);
    } else if (outcome instanceof Outcome.NotInitialised) {
      series.refused(Result.ERROR);
    } else {
      series.refused(Result.REJECTED);
    }
  }

  private static void log(String function, Call call, Outcome.Handed handed, String cause) {
    log.atWarn()
        .addKeyValue("function", function)
        .addKeyValue("request", call.invocation().requestId())
        .addKeyValue("start", handed.start().word())
        .addKeyValue("clone", handed.process())
        .addKeyValue("cause", cause)
        .log("invocation lost its process");
  }
}
