package io.pilotlight.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which JVM runs a function. */
final class JvmOptions {
  @Option(names = "--jvm", paramLabel = "HOME", description = "The JDK that runs the function.")
  private @Nullable Path home;

  @Option(
      names = "--jvm-arg",
      paramLabel = "A",
      description = "A further argument of its JVM; may be repeated.")
  private List<String> arguments = List.of();

  /** The JDK; this process's own if none was given. */
  Path home() {
    return (home == null ? Path.of(System.getProperty("java.home")) : home)
        .toAbsolutePath()
        .normalize();
  }

  /** Further arguments of the JVM. */
  List<String> arguments() {
    return List.copyOf(arguments);
  }

  /** Writes what was given into a definition. */
  void write(ObjectNode definition) {
    if (home != null) {
      // The daemon has a working directory of its own.
      definition.put("jvm", home.toAbsolutePath().normalize().toString());
    }
    if (!arguments.isEmpty()) {
      arguments.forEach(definition.putArray("jvmArgs")::add);
    }
  }
}
