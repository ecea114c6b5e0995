package io.pilotlight.cli;

import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
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

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "Holds the daemon's token (default: $PILOTLIGHT_TOKEN_FILE).")
  private @Nullable Path tokenFile;

  @Option(
      names = "--ca-cert",
      paramLabel = "FILE",
      description =
          "Certificates (PEM) by which a daemon on https is known (default:"
              + " $PILOTLIGHT_CA_CERT, else those that the JDK trusts).")
  private @Nullable Path caCertificate;

  DaemonClient client() throws CliException {
    return new DaemonClient(access());
  }

  private DaemonAccess access() throws CliException {
    boolean tls = "https".equals(uri.getScheme());
    if (uri.getHost() == null || !(tls || "http".equals(uri.getScheme()))) {
      throw new CliException(
          "--daemon '" + uri + "' is not an address such as http://127.0.0.1:7600");
    }
    Path token = orVariable(tokenFile, "PILOTLIGHT_TOKEN_FILE");
    Path roots = tls ? orVariable(caCertificate, "PILOTLIGHT_CA_CERT") : null;
    return new DaemonAccess(
        uri,
        token == null ? null : DaemonAccess.token(token),
        roots == null ? null : DaemonAccess.trusting(roots));
  }

  private static @Nullable Path orVariable(@Nullable Path option, String variable) {
    String value = System.getenv(variable);
    return option != null || value == null || value.isEmpty() ? option : Path.of(value);
  }
}
