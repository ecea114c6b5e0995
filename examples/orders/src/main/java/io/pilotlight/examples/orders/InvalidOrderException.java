package io.pilotlight.examples.orders;

/** The order breaks a rule; the message names the field and its value. */
public final class InvalidOrderException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  InvalidOrderException(String message) {
    super(message);
  }
}
