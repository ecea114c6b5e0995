package io.pilotlight.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The groups that a process is in, as directories: /proc/PID/cgroup, seen through the mounts of
 * this process. See cgroups(7).
 *
 * @param unified in the v2 hierarchy, if that is mounted and shows it
 * @param legacy in the v1 hierarchies of our controllers, where they are mounted and show it
 */
record Membership(Optional<Path> unified, Map<Controller, Path> legacy) {

  /** Where a hierarchy is mounted: the group that it shows as its root, and the place. */
  private record Mount(String type, List<String> options, String group, Path place) {
    /** The directory of a group; empty if the mount does not show it. */
    Optional<Path> directory(String path) {
      if (group.equals("/")) {
        return Optional.of(place.resolve(path.substring(1)).normalize());
      }
      return path.equals(group) || path.startsWith(group + "/")
          ? Optional.of(place.resolve("." + path.substring(group.length())).normalize())
          : Optional.empty();
    }
  }

  /**
   * Reads it.
   *
   * @param root {@code /}, or a directory that looks like it
   * @param process {@code self}, or a number
   */
  static Membership of(Path root, String process) throws IOException {
    List<Mount> mounts = mounts(root);
    Optional<Path> unified = Optional.empty();
    Map<Controller, Path> legacy = new EnumMap<>(Controller.class);
    for (String line : read(root.resolve("proc").resolve(process).resolve("cgroup"))) {
      String[] fields = line.split(":", 3);
      if (fields.length < 3 || !fields[2].startsWith("/") || fields[2].contains("..")) {
        continue;
      }
      if (fields[0].equals("0") && fields[1].isEmpty()) {
        unified = directory(mounts, "cgroup2", Optional.empty(), fields[2]);
        continue;
      }
      for (Controller controller : Controller.values()) {
        if (List.of(fields[1].split(",", -1)).contains(controller.toString())) {
          directory(mounts, "cgroup", Optional.of(controller), fields[2])
              .ifPresent(path -> legacy.put(controller, path));
        }
      }
    }
    return new Membership(unified, legacy);
  }

  private static Optional<Path> directory(
      List<Mount> mounts, String type, Optional<Controller> controller, String group) {
    return mounts.stream()
        .filter(mount -> mount.type().equals(type))
        .filter(mount -> controller.isEmpty() || mount.options().contains(controller.get() + ""))
        .flatMap(mount -> mount.directory(group).stream())
        .filter(Files::isDirectory)
        .findFirst();
  }

  /** Lines like {@code 36 25 0:30 /group /place options - type source options}. */
  private static List<Mount> mounts(Path root) throws IOException {
    List<Mount> mounts = new ArrayList<>();
    for (String line : read(root.resolve("proc/self/mountinfo"))) {
      String[] halves = line.split(" - ", 2);
      String[] place = halves[0].split(" ", -1);
      String[] what = halves.length < 2 ? new String[0] : halves[1].split(" ", -1);
      if (place.length > 4 && what.length > 2 && what[0].startsWith("cgroup")) {
        Path directory = root.resolve(place[4].substring(1));
        mounts.add(new Mount(what[0], List.of(what[2].split(",", -1)), place[3], directory));
      }
    }
    return mounts;
  }

  private static List<String> read(Path file) throws IOException {
    return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
  }
}
