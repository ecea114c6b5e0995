package io.pilotlight.zygote;

import io.pilotlight.engine.Confinement;
import io.pilotlight.engine.Isolation;
import io.pilotlight.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * As whom confined functions run, and what they must not see.
 *
 * @param userId the user; another than this process's own only if that is root
 * @param groupId the group, likewise
 * @param hidden directories that are this host's alone; absolute and real
 */
public record ConfinementPolicy(int userId, int groupId, List<Path> hidden) {
  /** By convention nobody, who owns no file: functions of a daemon that runs as root. */
  public static final int NOBODY = 65534;

  private static final Path CONTROL_GROUPS = Path.of("/sys/fs/cgroup");
  private static final int OWNER_EXECUTE = 0100;
  private static final int GROUP_EXECUTE = 0010;
  private static final int OTHERS_EXECUTE = 0001;

  /** Copies the list. */
  public ConfinementPolicy {
    hidden = List.copyOf(hidden);
  }

  /** As this process's own user, or as nobody if that is root. */
  public static ConfinementPolicy hiding(List<Path> hidden) {
    int user = Processes.userId();
    return user == 0
        ? new ConfinementPolicy(NOBODY, NOBODY, hidden)
        : new ConfinementPolicy(user, Processes.groupId(), hidden);
  }

  /** As whom a function's processes run. */
  int userId(FunctionSpec spec) {
    return spec.isolation() == Isolation.NONE ? Processes.userId() : userId;
  }

  /**
   * Of a function's processes; null if they are not confined. The files of control groups are
   * hidden too: whoever is their owner could lift his limits by them. So are directories that their
   * user may not enter, if something visible lies there: it is visible then.
   */
  @Nullable Confinement of(FunctionSpec spec, Path agentJar) throws IOException {
    if (spec.isolation() == Isolation.NONE) {
      return null;
    }
    Set<Path> visible = new LinkedHashSet<>(List.of(agentJar));
    visible.addAll(spec.jars());
    visible.addAll(spec.layers());
    visible.add(spec.javaHome());
    visible.add(spec.javaHome().toRealPath());
    return new Confinement(
        spec.isolation(),
        spec.network(),
        userId,
        groupId,
        withOthersHidden(visible),
        List.copyOf(visible),
        spec.limits().memoryMib());
  }

  private List<Path> withOthersHidden(Set<Path> visible) throws IOException {
    Set<Path> all = new LinkedHashSet<>(hidden);
    if (Files.isDirectory(CONTROL_GROUPS)) {
      all.add(CONTROL_GROUPS);
    }
    for (Path path : visible) {
      for (Path above = path.getParent(); above != null; above = above.getParent()) {
        if (above.getNameCount() > 0 && !mayEnter(above)) {
          all.add(above);
        }
      }
    }
    return List.copyOf(all);
  }

  /** See path_resolution(7); of access control lists nothing is known here. */
  private boolean mayEnter(Path directory) throws IOException {
    int mode = (int) Files.getAttribute(directory, "unix:mode");
    if (userId == (int) Files.getAttribute(directory, "unix:uid")) {
      return (mode & OWNER_EXECUTE) != 0;
    }
    boolean inGroup = groupId == (int) Files.getAttribute(directory, "unix:gid");
    return (mode & (inGroup ? GROUP_EXECUTE : OTHERS_EXECUTE)) != 0;
  }
}
