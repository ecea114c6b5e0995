package io.pilotlight.cgroup;

import java.util.Locale;

/** What control groups limit here. */
public enum Controller {
  /** Memory that a group's processes were the first to touch. */
  MEMORY,
  /** Processes and threads. */
  PIDS,
  /** Processor time per period. */
  CPU;

  /** Its name in the kernel's files. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
