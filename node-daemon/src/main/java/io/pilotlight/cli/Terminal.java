package io.pilotlight.cli;

/** Whether, and how, progress is shown on stderr. */
enum Terminal {
  /** A person looks on: one line, written over and over. */
  LIVE,
  /** A log: a line per step. */
  LINES,
  /** Nothing. */
  SILENT;

  /**
   * The launcher's word on whether stderr is a terminal: a JVM cannot tell by itself.
   *
   * @param asked whether progress was asked for
   */
  static Terminal ofProcess(boolean asked) {
    if (Boolean.getBoolean("pilotlight.terminal")) {
      return LIVE;
    }
    return asked ? LINES : SILENT;
  }
}
