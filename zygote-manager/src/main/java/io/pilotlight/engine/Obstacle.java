package io.pilotlight.engine;

import java.util.OptionalInt;

/**
 * Something that a process holds and its clones cannot be given.
 *
 * @param descriptor its number, if it is a descriptor
 * @param what a sentence that says what it is
 * @param remedy a sentence that says what to do
 */
public record Obstacle(OptionalInt descriptor, String what, String remedy) {
  /** One that is a descriptor. */
  static Obstacle descriptor(int number, String what, String remedy) {
    return new Obstacle(OptionalInt.of(number), what, remedy);
  }

  /** One that is none. */
  static Obstacle other(String what, String remedy) {
    return new Obstacle(OptionalInt.empty(), what, remedy);
  }

  @Override
  public String toString() {
    return what + " " + remedy;
  }
}
