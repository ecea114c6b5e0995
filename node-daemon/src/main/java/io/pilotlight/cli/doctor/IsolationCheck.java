package io.pilotlight.cli.doctor;

import io.pilotlight.engine.Isolation;
import java.util.Optional;
import java.util.function.Function;

/** How far functions can be isolated here, found out by trying. */
final class IsolationCheck {
  private final Function<Isolation, Optional<String>> obstacleTo;

  /** With what keeps a level from working; empty if nothing does. */
  IsolationCheck(Function<Isolation, Optional<String>> obstacleTo) {
    this.obstacleTo = obstacleTo;
  }

  Finding run() {
    Isolation works = Isolation.NONE;
    for (Isolation level : Isolation.values()) {
      Optional<String> obstacle = obstacleTo.apply(level);
      if (obstacle.isPresent()) {
        return Finding.limited(
            "isolation",
            "up to '" + works.word() + "'",
            "'" + level.word() + "' would need: " + obstacle.get());
      }
      works = level;
    }
    return Finding.ok("isolation", "up to '" + works.word() + "'");
  }
}
