package io.pilotlight.it.support;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The machine's control groups, in whichever hierarchy. One that ends meanwhile is left out. */
public final class ControlGroupTable {
  private static final Path MOUNTS = Path.of("/sys/fs/cgroup");

  private ControlGroupTable() {}

  /** Directories whose name ends with that, and all below them. */
  public static List<Path> named(String end) throws IOException {
    List<Path> found = new ArrayList<>();
    if (!Files.isDirectory(MOUNTS)) {
      return found;
    }
    Files.walkFileTree(
        MOUNTS,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            if (Stream.iterate(directory, path -> path != null, Path::getParent)
                .anyMatch(path -> path.getFileName() != null && path.toString().endsWith(end))) {
              found.add(directory);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException e) {
            return FileVisitResult.CONTINUE;
          }
        });
    return found;
  }

  /** Removes a group that nobody is in, with those below it. */
  static void remove(Path group) throws IOException {
    if (!Files.isDirectory(group)) {
      return;
    }
    List<Path> below;
    try (Stream<Path> entries = Files.list(group)) {
      below = entries.filter(Files::isDirectory).toList();
    }
    for (Path child : below) {
      remove(child);
    }
    Files.delete(group);
  }
}
