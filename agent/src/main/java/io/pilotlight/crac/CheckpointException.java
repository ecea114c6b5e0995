package io.pilotlight.crac;

/** There is no checkpoint; why is in the suppressed exceptions. */
public class CheckpointException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Without a message. */
  public CheckpointException() {}

  /** With a message. */
  public CheckpointException(String message) {
    super(message);
  }
}
