package io.pilotlight.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What a sandbox has of the machine's file system.
 *
 * @param bound files and directories, at their own places
 * @param links symbolic links in it, with what they point at
 */
record SandboxRoot(List<Path> bound, Map<Path, Path> links) {
  /** Where libraries are, on Debian and Fedora and what comes of them. */
  private static final List<Path> LIBRARIES =
      Stream.of(
              "/lib/x86_64-linux-gnu",
              "/usr/lib/x86_64-linux-gnu",
              "/lib64",
              "/usr/lib64",
              "/etc/ld.so.cache")
          .map(Path::of)
          .toList();

  /** By which names, users' and hosts', and the time zone are found. */
  private static final List<Path> NAMES =
      Stream.of(
              "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/localtime", "/etc/ssl")
          .map(Path::of)
          .toList();

  private static final Path SETTINGS = Path.of("/etc");

  private static final List<Path> DEVICES =
      Stream.of("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
          .map(Path::of)
          .toList();

  /**
   * Looks at this machine.
   *
   * @param files what the function needs; of a directory, such as a JDK, also what symbolic links
   *     in it point at in /etc
   */
  static SandboxRoot of(List<Path> files) throws IOException {
    List<Path> bound = new ArrayList<>(DEVICES);
    Map<Path, Path> links = new TreeMap<>();
    links.put(Path.of("/dev/fd"), Path.of("/proc/self/fd"));
    for (Path path : LIBRARIES) {
      add(path, bound, links);
    }
    NAMES.stream().filter(Files::exists).forEach(bound::add);
    for (Path file : files) {
      bound.add(file);
      if (Files.isDirectory(file)) {
        bound.addAll(linkedElsewhere(file));
      }
    }
    return new SandboxRoot(bound, links);
  }

  /** A merged-usr system has links where others have directories. */
  private static void add(Path path, List<Path> bound, Map<Path, Path> links) throws IOException {
    Path top = Path.of("/").resolve(path.getName(0));
    if (Files.isSymbolicLink(top)) {
      links.put(top, Files.readSymbolicLink(top));
    } else if (Files.exists(path)) {
      bound.add(path);
    }
  }

  /**
   * Debian has a JDK's settings and certificates in /etc, with links to them; of that the whole
   * directory is taken. Links to anywhere else lead nowhere in a sandbox.
   */
  private static Set<Path> linkedElsewhere(Path directory) throws IOException {
    Set<Path> found = new TreeSet<>();
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path link : all.filter(Files::isSymbolicLink).toList()) {
        Path target = link.resolveSibling(Files.readSymbolicLink(link)).normalize();
        if (target.startsWith(SETTINGS) && Files.exists(target)) {
          found.add(SETTINGS.resolve(target.getName(1)));
        }
      }
    }
    return found;
  }
}
