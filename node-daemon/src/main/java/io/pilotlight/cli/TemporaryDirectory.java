package io.pilotlight.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A directory that nobody else may enter, until it is closed.
 *
 * @param path where
 */
record TemporaryDirectory(Path path) implements AutoCloseable {

  static TemporaryDirectory create(String prefix) throws CliException {
    try {
      return new TemporaryDirectory(Files.createTempDirectory(prefix));
    } catch (IOException e) {
      throw new CliException(
          "no directory can be made in " + System.getProperty("java.io.tmpdir") + ": " + e);
    }
  }

  /** Removes it with all that is in it. */
  @Override
  public void close() throws CliException {
    try (Stream<Path> files = Files.walk(path)) {
      files.sorted(Comparator.reverseOrder()).forEach(TemporaryDirectory::delete);
    } catch (IOException | UncheckedIOException e) {
      throw new CliException("the directory " + path + " cannot be removed: " + e.getMessage());
    }
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
