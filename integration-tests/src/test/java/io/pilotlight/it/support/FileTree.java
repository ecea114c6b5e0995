package io.pilotlight.it.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories with all that is in them. */
public final class FileTree {
  private FileTree() {}

  /** Copies one to a place where nothing is. */
  public static Path copy(Path from, Path to) throws IOException {
    for (Path path : paths(from)) {
      Files.copy(path, to.resolve(from.relativize(path)));
    }
    return to;
  }

  /** Deletes one. */
  public static void delete(Path directory) throws IOException {
    for (Path path : paths(directory).stream().sorted(Comparator.reverseOrder()).toList()) {
      Files.delete(path);
    }
  }

  private static List<Path> paths(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      return paths.toList();
    }
  }
}
