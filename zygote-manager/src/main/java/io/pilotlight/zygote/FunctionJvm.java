package io.pilotlight.zygote;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A process that can serve a function: a clone of a zygote, or a cold JVM. It serves one invocation
 * at a time.
 *
 * <p>Thread-safe, except that {@link #invoke} must not be called again before it has returned.
 */
public interface FunctionJvm extends AutoCloseable {

  /** A name that no other process of this daemon has or had. */
  String id();

  /**
   * The process id; for a clone whose fork the zygote has not confirmed yet, waits for that. -1 if
   * the fork failed.
   */
  long pid();

  /**
   * Calls the function and waits for its answer.
   *
   * @param invocation the call
   * @param timeout measured from now
   * @throws NotStartedException the process ended, or could not become itself, before the request
   *     was handed to it or to the function: it was certainly not run, and another start may be
   *     tried
   * @throws DiedException the process ended, or its channel broke, after the request was handed
   *     over
   * @throws TimedOutException no answer within {@code timeout}; the process has been killed
   */
  Reply invoke(Invocation invocation, Duration timeout)
      throws NotStartedException, DiedException, TimedOutException;

  /**
   * Gives it environment variables that its zygote must not hold. They reach it with its first
   * invocation, before the function runs; to be called before that.
   *
   * @param values by name; none does nothing
   */
  void secrets(Map<String, String> values);

  /**
   * Whether what its first call touches is still to be recorded: whoever has called it says when,
   * by {@link #recordFirstCall}.
   */
  boolean records();

  /**
   * Records what its first call has touched, if it is one that {@link #records}. Takes
   * milliseconds. Never throws: a recording that fails is one less.
   */
  void recordFirstCall();

  /**
   * The page faults of its first call; empty if they were not counted, which is so for most
   * processes. To be asked after that call, and before the next one.
   */
  Optional<FirstCallFaults> firstCallFaults();

  /**
   * Page faults of the first call of a clone that waited for it.
   *
   * @param replayed whether the clone had replayed its zygote's working set before
   * @param faults minor faults of all its threads, from its waiting to the answer
   */
  record FirstCallFaults(boolean replayed, long faults) {}

  /** Whether it can be expected to serve a further invocation. */
  boolean alive();

  /** Completes when the process has ended and has been reaped. */
  CompletableFuture<ExitStatus> exit();

  /**
   * What it has written to stdout and stderr, the last {@code maxBytes} at most, read up to this
   * moment.
   *
   * @param maxBytes at most 65,536 are kept
   */
  String outputTail(int maxBytes);

  /** Marks the place after which {@link #outputSinceMark} begins: called before an invocation. */
  void markOutput();

  /** The output since {@link #markOutput}, its last {@code maxBytes}. */
  String outputSinceMark(int maxBytes);

  /**
   * Memory that only this process has, from smaps_rollup; empty if it has ended. Costs
   * milliseconds.
   */
  OptionalLong privateBytes();

  /**
   * Asks it to run its shutdown hooks and end; it is killed if it has not ended after {@code
   * grace}, and at once if it said with its last answer that it has none: an orderly end would only
   * cost processor time then. Does not wait.
   */
  void stop(Duration grace);

  /** Kills it at once. Idempotent. */
  @Override
  void close();

  /** The process never got the request. */
  final class NotStartedException extends Exception {
    /** The reason of a clone in which a resource threw when it was told of the restore. */
    public static final String RESTORE_FAILED = "restore-failed";

    private static final long serialVersionUID = 1L;
    private final String reason;

    /**
     * As described.
     *
     * @param reason a short fixed word for metrics: {@code zygote-lost}, {@code clone-died}, {@code
     *     step-failed}, ...
     * @param message what failed, with which value, and what to do
     */
    public NotStartedException(String reason, String message) {
      super(message);
      this.reason = reason;
    }

    /** A short fixed word for metrics. */
    public String reason() {
      return reason;
    }
  }

  /** The process ended while it had the request. */
  final class DiedException extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient ExitStatus status;
    private final String outputTail;
    private final transient @Nullable Overrun overrun;

    /** With how it ended, and the end of its output. */
    public DiedException(String message, ExitStatus status, String outputTail) {
      this(message, status, outputTail, null);
    }

    /** The same of one that a limit has ended. */
    public DiedException(
        String message, ExitStatus status, String outputTail, @Nullable Overrun overrun) {
      super(message);
      this.status = status;
      this.outputTail = outputTail;
      this.overrun = overrun;
    }

    /** The limit that ended it, or null. */
    public @Nullable Overrun overrun() {
      return overrun;
    }

    /** How it ended. */
    public ExitStatus status() {
      return status;
    }

    /** The end of what it wrote to stdout and stderr. */
    public String outputTail() {
      return outputTail;
    }
  }

  /** The time-out passed; the process was killed. */
  final class TimedOutException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Names the time-out. */
    public TimedOutException(String message) {
      super(message);
    }
  }
}
