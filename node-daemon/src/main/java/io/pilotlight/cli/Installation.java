package io.pilotlight.cli;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where Pilotlight's own files are. */
final class Installation {
  private Installation() {}

  /** The jar, or directory of classes, that this class is from. */
  private static Path code() throws CliException {
    try {
      return Path.of(
          Installation.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new CliException("the place of Pilotlight's own jar cannot be told: " + e);
    }
  }

  /** The jar that runs as {@code java -jar}. */
  static Path jar() throws CliException {
    Path jar = code();
    if (!Files.isRegularFile(jar)) {
      throw new CliException("not run from pilotlight.jar but from " + jar + ": use ./pilotlight");
    }
    return jar;
  }

  /** The command that runs pilotlight's command line: the launcher, or the jar without one. */
  static List<String> launcher() throws CliException {
    Path script = home().resolve("pilotlight");
    if (Files.isExecutable(script)) {
      return List.of(script.toString());
    }
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return List.of(java, "-jar", jar().toString());
  }

  /** The agent: the property {@code pilotlight.agent}, or beside the jar. */
  static Path agent() throws CliException {
    String named = System.getProperty("pilotlight.agent", "");
    Path agent = named.isEmpty() ? code().resolveSibling("lib/agent.jar") : Path.of(named);
    if (!Files.isReadable(agent)) {
      throw new CliException(
          "the agent's jar "
              + agent
              + " is not there: build with ./pilotlight, or name it with"
              + " -Dpilotlight.agent=FILE");
    }
    return agent.toAbsolutePath();
  }

  /**
   * Spares JNA what it does at its first use: unpacking its library, where that lies beside the
   * jar, and asking ldconfig, a process, where others are, of which it needs none. Before JNA is
   * used.
   */
  static void shortenNativeAccess() throws CliException {
    Path directory = code().resolveSibling("native");
    if (Files.isReadable(directory.resolve(System.mapLibraryName("jnidispatch")))) {
      setIfAbsent("jna.boot.library.path", directory.toString());
    }
    setIfAbsent("jna.platform.library.path", directory.toString());
  }

  private static void setIfAbsent(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** The source tree: the property {@code pilotlight.home}, or where the jar was built. */
  static Path home() throws CliException {
    String named = System.getProperty("pilotlight.home", "");
    return (named.isEmpty() ? code().resolve("../../..") : Path.of(named))
        .toAbsolutePath()
        .normalize();
  }
}
