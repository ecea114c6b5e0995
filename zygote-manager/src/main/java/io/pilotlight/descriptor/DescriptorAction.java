package io.pilotlight.descriptor;

import java.util.Locale;

/** What is done about a descriptor that is open at the freeze. */
public enum DescriptorAction {
  /** The freeze is refused. */
  ERROR,
  /**
   * Left to the engine: what can be made anew in each clone is, connections are closed, the rest is
   * shared.
   */
  IGNORE,
  /**
   * The zygote lets go of it, its number stays taken: a file can be used no more, a socket or pipe
   * looks as if its other end had hung up.
   */
  CLOSE,
  /**
   * Each clone opens the same file at the same position. A listening socket cannot be bound twice:
   * it is inherited.
   */
  REOPEN,
  /** All clones share it. */
  INHERIT;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
