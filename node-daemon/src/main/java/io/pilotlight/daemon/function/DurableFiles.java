package io.pilotlight.daemon.function;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Files of one directory that are there whole or not at all, also after a crash: written under
 * another name, synced, renamed. Thread-safe for different names.
 */
final class DurableFiles {
  /** What a file is called while it is written; removed at start. */
  private static final String TEMPORARY_SUFFIX = ".tmp";

  private final Path directory;

  /** Makes the directory, for its owner only, and removes what a crash left half written. */
  DurableFiles(Path directory) throws IOException {
    this.directory = directory;
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    try (var leftovers = Files.newDirectoryStream(directory, "*" + TEMPORARY_SUFFIX)) {
      for (Path leftover : leftovers) {
        Files.delete(leftover);
      }
    }
  }

  Path directory() {
    return directory;
  }

  /** An empty file that only its owner may read, to be given to {@link #publish}. */
  Path temporary() throws IOException {
    return Files.createTempFile(directory, "new-", TEMPORARY_SUFFIX);
  }

  /** Gives a written file its name, replacing what had it. */
  Path publish(Path temporary, String name) throws IOException {
    sync(temporary);
    Path target = directory.resolve(name);
    Files.move(
        temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    sync(directory);
    return target;
  }

  /** Writes a file, replacing what had its name. */
  void write(String name, byte[] content) throws IOException {
    Path temporary = temporary();
    try {
      try (FileChannel out = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        for (ByteBuffer rest = ByteBuffer.wrap(content); rest.hasRemaining(); ) {
          out.write(rest);
        }
      }
      publish(temporary, name);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Removes a file, if it is there. */
  void delete(String name) throws IOException {
    Files.deleteIfExists(directory.resolve(name));
    sync(directory);
  }

  private static void sync(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
