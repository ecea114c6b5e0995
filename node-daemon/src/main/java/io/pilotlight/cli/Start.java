package io.pilotlight.cli;

import java.util.Locale;

/** How an invocation gets its process; printed as the header {@code Pilotlight-Start} spells it. */
public enum Start {
  /** The daemon chooses. */
  AUTO,
  /** A clone that served before. */
  WARM,
  /** A clone that was forked ahead. */
  POOL,
  /** A clone forked now. */
  FORK,
  /** A clone made now, of the function's image. */
  RESTORE,
  /** A new JVM. */
  COLD;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
