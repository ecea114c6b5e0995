package io.pilotlight.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What this process may use of the machine's control groups. Memory and processes are the least
 * that counts; a group that can limit these is used, with or without processor time.
 */
public sealed interface Delegation {
  /** Both must be there. */
  Set<Controller> NEEDED = EnumSet.of(Controller.MEMORY, Controller.PIDS);

  /** How a daemon gets a v2 group of its own from systemd. */
  String SYSTEMD =
      "start the daemon in a group of its own: systemd-run [--user] --scope -p Delegate=yes"
          + " pilotlight daemon ..., or a unit with Delegate=yes";

  /**
   * A v2 group in which this process may make others.
   *
   * @param own the group that it is in
   * @param controllers what can be limited there
   * @param top whether it is the hierarchy's root, in which processes and groups may be together
   */
  record Unified(Path own, Set<Controller> controllers, boolean top) implements Delegation {
    @Override
    public String toString() {
      return "control groups v2 (" + names(controllers) + ") under " + own;
    }
  }

  /**
   * Groups in v1 hierarchies in which it may make others.
   *
   * @param own the groups that it is in
   */
  record Legacy(Map<Controller, Path> own) implements Delegation {
    @Override
    public String toString() {
      return "control groups v1 (" + names(own.keySet()) + ")";
    }
  }

  /**
   * None.
   *
   * @param why not
   * @param remedy the one step that would change it
   */
  record Absent(String why, String remedy) implements Delegation {
    @Override
    public String toString() {
      return "no control groups: " + why;
    }
  }

  private static String names(Set<Controller> controllers) {
    return String.join(", ", controllers.stream().sorted().map(Controller::toString).toList());
  }

  /** Looks at this machine, and changes nothing. */
  static Delegation here() {
    return of(Path.of("/"), Files::isWritable, ProcessHandle.current().pid());
  }

  /**
   * Looks at a machine, and changes nothing.
   *
   * @param root {@code /}, or a directory that looks like it
   * @param writable whether this process may write there
   * @param pid this process
   */
  static Delegation of(Path root, Predicate<Path> writable, long pid) {
    try {
      Membership self = Membership.of(root, "self");
      boolean split = self.legacy().keySet().containsAll(NEEDED);
      return self.unified().isPresent() && !split
          ? unified(self.unified().get(), writable, pid)
          : legacy(self.legacy(), writable);
    } catch (IOException e) {
      return new Absent("they cannot be read: " + e, "mount /proc");
    }
  }

  private static Delegation unified(Path own, Predicate<Path> writable, long pid)
      throws IOException {
    Set<Controller> controllers = EnumSet.noneOf(Controller.class);
    List<String> there = List.of(text(own.resolve("cgroup.controllers")).split("\\s+", -1));
    for (Controller controller : Controller.values()) {
      if (there.contains(controller.toString())) {
        controllers.add(controller);
      }
    }
    if (!controllers.containsAll(NEEDED)) {
      return new Absent(
          own + " has the controllers '" + String.join(" ", there) + "', not " + names(NEEDED),
          SYSTEMD);
    }
    if (!writable.test(own)
        || !writable.test(own.resolve("cgroup.procs"))
        || !writable.test(own.resolve("cgroup.subtree_control"))) {
      return new Absent(own + " does not belong to this user", SYSTEMD);
    }
    // Only the root has no type.
    boolean top = !Files.exists(own.resolve("cgroup.type"));
    boolean alone = text(own.resolve("cgroup.procs")).equals(Long.toString(pid));
    return top || alone
        ? new Unified(own, controllers, top)
        : new Absent("there are other processes in " + own, SYSTEMD);
  }

  private static Delegation legacy(Map<Controller, Path> own, Predicate<Path> writable) {
    if (!own.keySet().containsAll(NEEDED)) {
      return new Absent(
          "no hierarchy with the controllers " + names(NEEDED) + " shows this process",
          "as root: mount -t cgroup2 none /sys/fs/cgroup");
    }
    Map<Controller, Path> usable = new EnumMap<>(own);
    usable.values().removeIf(path -> !writable.test(path));
    if (!usable.keySet().containsAll(NEEDED)) {
      return new Absent(
          own.get(Controller.MEMORY) + " does not belong to this user",
          "as root: cgcreate -a $USER -t $USER -g memory,pids,cpu:pilotlight, and start the daemon"
              + " by cgexec -g memory,pids,cpu:pilotlight");
    }
    return new Legacy(usable);
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file).strip();
  }
}
