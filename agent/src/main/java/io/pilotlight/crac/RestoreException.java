package io.pilotlight.crac;

/** The process was restored, but not all of its resources; why is in the suppressed exceptions. */
public class RestoreException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Without a message. */
  public RestoreException() {}

  /** With a message. */
  public RestoreException(String message) {
    super(message);
  }
}
