package io.pilotlight.examples.hello;

/** Whom to greet. */
public final class HelloRequest {
  private String name = "";

  /** The name; empty for the world. */
  public String getName() {
    return name;
  }

  /** Sets the name. */
  public void setName(String name) {
    this.name = name;
  }
}
