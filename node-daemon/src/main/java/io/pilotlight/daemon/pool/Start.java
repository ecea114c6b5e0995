package io.pilotlight.daemon.pool;

import java.util.Locale;
import java.util.Optional;

/** How an invocation got its process, from the fastest to the slowest. */
public enum Start {
  /** A process that served before. */
  WARM,
  /** A clone that was forked ahead and waited. */
  POOL,
  /** A clone forked for this invocation. */
  FORK,
  /** A clone of the function's image, made for this invocation. */
  RESTORE,
  /** A new JVM. */
  COLD;

  private final String word = name().toLowerCase(Locale.ROOT);

  /** As it appears in headers and metrics. */
  public String word() {
    return word;
  }

  /** The start of that word. */
  public static Optional<Start> of(String word) {
    for (Start start : values()) {
      if (start.word.equals(word)) {
        return Optional.of(start);
      }
    }
    return Optional.empty();
  }
}
