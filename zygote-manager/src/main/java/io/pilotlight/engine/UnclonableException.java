package io.pilotlight.engine;

import java.util.List;
import java.util.stream.Collectors;

/** A process holds things that its clones cannot be given. */
public final class UnclonableException extends Exception {
  private static final long serialVersionUID = 1L;
  private final transient List<Obstacle> obstacles;

  /** With what it holds. */
  public UnclonableException(List<Obstacle> obstacles) {
    super(obstacles.stream().map(Obstacle::toString).collect(Collectors.joining(" ")));
    this.obstacles = List.copyOf(obstacles);
  }

  /** What it holds. */
  public List<Obstacle> obstacles() {
    return obstacles;
  }
}
