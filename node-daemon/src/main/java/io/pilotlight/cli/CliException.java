package io.pilotlight.cli;

import java.util.List;

/** A command failed for a reason that its user should read: what, with which value, what to do. */
public final class CliException extends Exception {
  private static final long serialVersionUID = 1L;
  private final transient List<String> details;

  /** One sentence. */
  public CliException(String message) {
    this(message, List.of());
  }

  /**
   * One sentence, and lines that explain it.
   *
   * @param details printed below it, indented: a stack trace, the end of a log
   */
  public CliException(String message, List<String> details) {
    super(message);
    this.details = List.copyOf(details);
  }

  /** Lines that explain the message. */
  public List<String> details() {
    return details;
  }
}
