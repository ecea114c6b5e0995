package io.pilotlight.zygote;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * The name by which processes of one run directory are known: kept in it, and on the command line
 * of each JVM.
 */
final class Owner {
  private static final String FILE = "owner";

  private Owner() {}

  static String of(Path runDirectory) throws IOException {
    Path file = runDirectory.resolve(FILE);
    if (Files.exists(file)) {
      return Files.readString(file).strip();
    }
    String name = UUID.randomUUID().toString();
    Files.writeString(file, name + "\n");
    return name;
  }
}
