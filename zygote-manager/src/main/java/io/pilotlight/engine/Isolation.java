package io.pilotlight.engine;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How far the processes of a function are kept from everything else. Each has all of the former.
 */
public enum Isolation {
  /** They are processes of the daemon's user like any other. */
  NONE,
  /**
   * They have PID, mount, IPC and UTS namespaces of their own, a private /proc, /tmp and /dev/shm,
   * no capability, and cannot gain any; they do not see the daemon's data.
   */
  PROCESS,
  /**
   * They see a read-only root with the JDK, the system's libraries and their own jars, no network
   * but a loopback of their own unless they are given one, and fewer system calls.
   */
  SANDBOX;

  /** As it is written in a deployment. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The one of that word. */
  public static Optional<Isolation> of(String word) {
    return Stream.of(values()).filter(level -> level.word().equals(word)).findFirst();
  }
}
