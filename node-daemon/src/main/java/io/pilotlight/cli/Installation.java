package io.pilotlight.cli;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;

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

  /** The source tree: the property {@code pilotlight.home}, or where the jar was built. */
  static Path home() throws CliException {
    String named = System.getProperty("pilotlight.home", "");
    return (named.isEmpty() ? code().resolve("../../..") : Path.of(named))
        .toAbsolutePath()
        .normalize();
  }
}
