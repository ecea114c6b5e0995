package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame.FaultKind;
import org.jspecify.annotations.Nullable;

/** What came back from a call that reached the agent. */
@SuppressWarnings("ArrayRecordComponent") // never compared, and a copy would cost on every call
public sealed interface Reply {
  /**
   * CLOCK_MONOTONIC as {@link System#nanoTime()} gives it, just before the handler was called; 0 if
   * it was not.
   */
  long enteredNanos();

  /** The same, just after the handler returned or threw; 0 if it was not called. */
  long finishedNanos();

  /**
   * The handler returned.
   *
   * @param payload its answer
   */
  record Success(long enteredNanos, long finishedNanos, byte[] payload) implements Reply {}

  /**
   * It did not.
   *
   * @param kind whose fault it is
   * @param failure the exception
   * @param overrun the limit that seems to have caused it, or null
   */
  record Fault(
      FaultKind kind,
      long enteredNanos,
      long finishedNanos,
      Failure failure,
      @Nullable Overrun overrun)
      implements Reply {
    /** One that no limit has caused. */
    public Fault(FaultKind kind, long enteredNanos, long finishedNanos, Failure failure) {
      this(kind, enteredNanos, finishedNanos, failure, null);
    }
  }
}
