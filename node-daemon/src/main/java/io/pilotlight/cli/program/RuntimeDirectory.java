package io.pilotlight.cli.program;

import io.pilotlight.cli.CliException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where managed programs can be reached: a directory that only its user may enter, with a socket
 * named after each program's pid. It is {@code pilotlight} in {@code XDG_RUNTIME_DIR}, or else
 * {@code /tmp/pilotlight-UID}.
 */
public final class RuntimeDirectory {
  private static final String NAME = "pilotlight";
  private static final String SUFFIX = ".control";
  private static final int GROUP_AND_OTHERS = 077;

  private RuntimeDirectory() {}

  /** That of this user; is made if it is not there. */
  public static Path own(Map<String, String> environment) throws CliException {
    try {
      int user = user(Path.of("/proc/self"));
      String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
      Path directory = runtime.isEmpty() ? shared(user) : Path.of(runtime).resolve(NAME);
      try {
        Files.createDirectory(
            directory,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException e) {
        requireOwn(directory, user);
      }
      return directory;
    } catch (IOException e) {
      throw new CliException("the directory for control sockets cannot be made: " + e);
    }
  }

  /** Anybody can make a directory in /tmp. */
  private static void requireOwn(Path directory, int user) throws IOException, CliException {
    int mode = (Integer) Files.getAttribute(directory, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    int owner = (Integer) Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    boolean good =
        Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
            && owner == user
            && (mode & GROUP_AND_OTHERS) == 0;
    if (!good) {
      throw new CliException(
          directory
              + " is not a directory that only user "
              + user
              + " may enter: remove it, or set XDG_RUNTIME_DIR");
    }
  }

  private static int user(Path file) throws IOException {
    return (Integer) Files.getAttribute(file, "unix:uid");
  }

  private static Path shared(int user) {
    return Path.of("/tmp", NAME + "-" + user);
  }

  /** The socket for a process, in a directory. */
  static Path socket(Path directory, long pid) {
    return directory.resolve(pid + SUFFIX);
  }

  /** Where a process can be reached, whoever's it is; empty if it is not managed. */
  static Optional<Path> find(long pid, Map<String, String> environment) throws IOException {
    int user = user(Path.of("/proc/" + pid));
    List<Path> directories = new ArrayList<>();
    String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
    if (!runtime.isEmpty()) {
      directories.add(Path.of(runtime).resolve(NAME));
    }
    directories.add(Path.of("/run/user/" + user).resolve(NAME));
    directories.add(shared(user));
    return directories.stream()
        .map(directory -> socket(directory, pid))
        .filter(Files::exists)
        .findFirst();
  }
}
