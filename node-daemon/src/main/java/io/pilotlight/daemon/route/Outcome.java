package io.pilotlight.daemon.route;

import io.pilotlight.daemon.pool.Start;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import io.pilotlight.zygote.Reply;
import java.time.Duration;

/** What an invocation came to. */
public sealed interface Outcome {
  /**
   * A process had the request.
   *
   * <p>Whatever came of it, it is not run again by us.
   */
  sealed interface Handed extends Outcome {
    /** How the process was got. */
    Start start();

    /** The process's name. */
    String process();
  }

  /**
   * The function answered, well or badly.
   *
   * @param startNanos from the request accepted to the handler entered; negative if it was not
   * @param handlerNanos how long the handler took; negative if it was not entered
   * @param log the end of what the function wrote meanwhile, if that was asked for
   */
  record Answered(
      Start start, String process, Reply reply, long startNanos, long handlerNanos, String log)
      implements Handed {}

  /** The process ended. */
  record Died(Start start, String process, DiedException cause) implements Handed {}

  /** The process did not answer in time, and was killed. */
  record TimedOut(Start start, String process, Duration timeout) implements Handed {}

  /** The function's concurrency was used up. */
  record Throttled(int limit) implements Outcome {}

  /** A cold start was needed, and the function does not initialise. */
  record NotInitialised(BuildException cause) implements Outcome {}

  /** No process had the request. */
  record Unavailable(Reason reason, String message) implements Outcome {}

  /** Why no process had the request. */
  enum Reason {
    /** The function's first zygote is being built. */
    BUILDING,
    /** The function was removed meanwhile. */
    REMOVED,
    /** The start that was asked for is not possible at the moment. */
    START_NOT_POSSIBLE,
    /** Every start that was possible has failed. */
    STARTS_FAILED,
    /** The daemon is stopping. */
    STOPPING
  }
}
