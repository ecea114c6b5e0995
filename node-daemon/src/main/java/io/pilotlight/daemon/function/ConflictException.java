package io.pilotlight.daemon.function;

/** Another operation on the same function is under way. */
public final class ConflictException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Says which operation, and what to do. */
  public ConflictException(String message) {
    super(message);
  }
}
