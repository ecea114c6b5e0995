package io.pilotlight.daemon;

/** The daemon could not start. */
public final class DaemonException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Says what failed, with which value, and what to do. */
  public DaemonException(String message) {
    super(message);
  }

  /** The same, with the cause. */
  public DaemonException(String message, Throwable cause) {
    super(message, cause);
  }
}
