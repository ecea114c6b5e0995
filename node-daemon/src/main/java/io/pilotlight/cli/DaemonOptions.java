package io.pilotlight.cli;

import java.net.URI;
import picocli.CommandLine.Option;

/** Which daemon a command talks to. */
final class DaemonOptions {
  @Option(
      names = "--daemon",
      paramLabel = "URL",
      defaultValue = "${env:PILOTLIGHT_DAEMON:-http://127.0.0.1:7600}",
      description = "The daemon's address (default: ${DEFAULT-VALUE}).")
  @SuppressWarnings("NullAway.Init") // picocli sets it: it has a default
  private URI uri;

  DaemonClient client() throws CliException {
    if (uri.getHost() == null || !"http".equals(uri.getScheme())) {
      throw new CliException(
          "--daemon '" + uri + "' is not an address such as http://127.0.0.1:7600");
    }
    return new DaemonClient(uri);
  }
}
