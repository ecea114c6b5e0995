package io.pilotlight.zygote;

/** How a process ended. */
public sealed interface ExitStatus {
  /**
   * It called {@code exit}.
   *
   * @param code 0 to 255
   */
  record Exited(int code) implements ExitStatus {
    @Override
    public String toString() {
      return "exited with status " + code;
    }
  }

  /**
   * A signal ended it.
   *
   * @param signal its number
   */
  record Signalled(int signal) implements ExitStatus {
    @Override
    public String toString() {
      return "killed by signal " + signal + (signal == 9 ? " (SIGKILL)" : "");
    }
  }

  /** It ended, but not as a child of this daemon, and the kernel does not tell anybody else how. */
  record Unknown() implements ExitStatus {
    @Override
    public String toString() {
      return "ended (exit status unknown: not a child of this daemon)";
    }
  }
}
