package io.pilotlight.engine;

import java.nio.file.Path;
import java.util.List;

/**
 * What the processes of one function are confined to.
 *
 * @param level {@link Isolation#PROCESS} or {@link Isolation#SANDBOX}
 * @param network whether a sandbox has the machine's network
 * @param userId the user that they run as, by the same number inside and outside of their namespace
 * @param groupId likewise their group
 * @param hidden directories of which they see nothing but {@code visible}
 * @param visible files and directories that they can read wherever they lie; absolute and real
 * @param temporaryMib how much a process may keep in its /tmp, and in its /dev/shm
 */
public record Confinement(
    Isolation level,
    boolean network,
    int userId,
    int groupId,
    List<Path> hidden,
    List<Path> visible,
    int temporaryMib) {
  /** Copies the lists. */
  public Confinement {
    if (level == Isolation.NONE) {
      throw new IllegalArgumentException("a confinement to nothing");
    }
    hidden = List.copyOf(hidden);
    visible = List.copyOf(visible);
  }

  /** Whether they have a network namespace of their own. */
  boolean ownNetwork() {
    return level == Isolation.SANDBOX && !network;
  }
}
