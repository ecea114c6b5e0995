package io.pilotlight.agent.handler;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import java.util.List;

/** A call failed in the function, or its input or answer could not be bound. */
public final class CallFault extends Exception {
  private static final long serialVersionUID = 1L;

  private final Frame.FaultKind kind;
  private final transient Failure failure;

  CallFault(Frame.FaultKind kind, Failure failure) {
    super(failure.summary(), null, false, false);
    this.kind = kind;
    this.failure = failure;
  }

  /** The handler threw. */
  static CallFault thrown(Throwable thrown) {
    return new CallFault(Frame.FaultKind.HANDLER, FunctionFailure.of(thrown));
  }

  /** The payload could not become the handler's input. */
  static CallFault input(String inputType, Throwable thrown) {
    return binding(
        Frame.FaultKind.INPUT,
        "An error occurred during JSON parsing: the payload is no " + inputType,
        thrown);
  }

  /** The handler's answer could not become JSON. */
  static CallFault output(String outputType, Throwable thrown) {
    return binding(
        Frame.FaultKind.OUTPUT,
        "An error occurred during JSON serialization of response: the answer is no " + outputType,
        thrown);
  }

  /** The handler's answer does not fit into a frame. */
  static CallFault tooLarge(int maxBytes) {
    return new CallFault(
        Frame.FaultKind.OUTPUT,
        new Failure(
            Failure.RESPONSE_TOO_LARGE,
            "The answer is larger than " + maxBytes + " bytes",
            List.of(),
            null));
  }

  // The type and the beginning of the message are what AWS reports; the rest says what to mend.
  private static CallFault binding(Frame.FaultKind kind, String what, Throwable thrown) {
    Failure cause = FunctionFailure.of(thrown);
    Failure inner = cause.cause();
    String reason = (inner == null ? cause : inner).summary();
    return new CallFault(
        kind, new Failure("java.lang.RuntimeException", what + ": " + reason, List.of(), cause));
  }

  /** Whose fault it is. */
  public Frame.FaultKind kind() {
    return kind;
  }

  /** The cause, for the daemon. */
  public Failure failure() {
    return failure;
  }
}
