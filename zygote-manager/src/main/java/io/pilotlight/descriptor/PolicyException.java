package io.pilotlight.descriptor;

/** A descriptor policy cannot be understood. */
public final class PolicyException extends Exception {
  private static final long serialVersionUID = 1L;
  private final int line;
  private final String reason;

  /**
   * As described.
   *
   * @param line of the file, from 1 on
   * @param message what is wrong and what is allowed
   */
  PolicyException(int line, String message) {
    super("line " + line + ": " + message);
    this.line = line;
    this.reason = message;
  }

  /** What is wrong, without the line. */
  public String reason() {
    return reason;
  }

  /** The line at fault, from 1 on. */
  public int line() {
    return line;
  }
}
