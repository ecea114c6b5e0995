package io.pilotlight.examples.hello;

/** A greeting. */
public final class HelloResponse {
  private final String message;

  HelloResponse(String message) {
    this.message = message;
  }

  /** The greeting. */
  public String getMessage() {
    return message;
  }
}
