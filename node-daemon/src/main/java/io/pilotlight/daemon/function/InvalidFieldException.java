package io.pilotlight.daemon.function;

/** A value in a request or a configuration file is not acceptable. */
public final class InvalidFieldException extends Exception {
  private static final long serialVersionUID = 1L;
  private final String field;

  /**
   * As described.
   *
   * @param field the field's name
   * @param message names the field, its value, and what is allowed
   */
  public InvalidFieldException(String field, String message) {
    super(message);
    this.field = field;
  }

  /** The field's name. */
  public String field() {
    return field;
  }
}
