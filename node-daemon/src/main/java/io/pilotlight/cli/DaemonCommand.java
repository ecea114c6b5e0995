package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.daemon.Daemon;
import io.pilotlight.daemon.DaemonConfig;
import io.pilotlight.daemon.DaemonException;
import io.pilotlight.daemon.function.InvalidFieldException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pilotlight daemon}: what a node runs. */
@Command(
    name = "daemon",
    description = {
      "Runs the daemon until SIGTERM or SIGINT; then lets running calls end, and ends with 143 or"
          + " 130 as every JVM does. The log is on stderr.",
      "Options win over the configuration file, and that over the defaults."
    })
final class DaemonCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      description = "Where it listens; port 0 for a free one (default: 127.0.0.1:7600).")
  private @Nullable String listen;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "What it keeps: functions, jars, sockets of zygotes (default: pilotlight in"
              + " $XDG_STATE_HOME or ~/.local/state).")
  private @Nullable Path data;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A JSON file with further settings; the operations guide has the list.")
  private @Nullable Path config;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "Holds a token that every request must carry; needed beyond loopback.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description = "The daemon's certificate and its chain (PEM): HTTPS, needed beyond loopback.")
  private @Nullable Path tlsCertificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "The certificate's key (PEM).")
  private @Nullable Path tlsKey;

  @Option(
      names = "--insecure",
      description =
          "Allow --listen on another address than loopback without a token or without TLS.")
  private boolean insecure;

  @Option(
      names = "--keep-zygotes",
      description = "At its end leave the zygotes to the next daemon.")
  private boolean keepZygotes;

  @Option(
      names = "--until-eof",
      description = "End when standard input does: for a program that starts its own daemon.")
  private boolean untilEof;

  @Override
  public Integer call() throws CliException {
    try (Daemon daemon = Daemon.start(configuration())) {
      daemon.closeOnShutdown();
      announce(daemon);
      if (untilEof) {
        closeAtEnd(System.in, daemon);
      }
      daemon.awaitStopped();
      return 0;
    } catch (DaemonException | InvalidFieldException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new CliException("--config '" + config + "' cannot be read: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted; the daemon has ended");
    }
  }

  private DaemonConfig configuration() throws CliException, InvalidFieldException, IOException {
    DaemonConfig configuration = DaemonConfig.defaults(defaultData(), Installation.agent());
    if (config != null) {
      configuration = configuration.withFile(config);
    }
    if (listen != null) {
      configuration = configuration.withListen(DaemonConfig.address(listen));
    }
    if (data != null) {
      configuration = configuration.withDataDirectory(data.toAbsolutePath());
    }
    return configuration
        .withDoor(door(configuration.door()))
        .withKeepZygotes(configuration.keepZygotes() || keepZygotes);
  }

  private DaemonConfig.Door door(DaemonConfig.Door configured) {
    return new DaemonConfig.Door(
        configured.insecure() || insecure,
        tokenFile != null ? tokenFile : configured.tokenFile(),
        tlsCertificate != null ? tlsCertificate : configured.tlsCertificate(),
        tlsKey != null ? tlsKey : configured.tlsKey(),
        configured.roots());
  }

  /** Where a daemon keeps its things that is not told. */
  static Path defaultData() {
    String state = System.getenv("XDG_STATE_HOME");
    Path base =
        state == null || state.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".local", "state")
            : Path.of(state);
    return base.resolve("pilotlight").toAbsolutePath();
  }

  /** On one line also as JSON: whoever started this daemon waits for it. */
  private void announce(Daemon daemon) {
    InetSocketAddress address = daemon.address();
    String host = address.getAddress().getHostAddress();
    String url =
        daemon.scheme()
            + "://"
            + (host.contains(":") ? "[" + host + "]" : host)
            + ":"
            + address.getPort();
    ObjectNode document =
        new ObjectMapper()
            .createObjectNode()
            .put("url", url)
            .put("pid", ProcessHandle.current().pid());
    output.always(output.json() ? document.toString() : "listening on " + url);
  }

  private static void closeAtEnd(InputStream in, Daemon daemon) {
    Thread watcher =
        new Thread(
            () -> {
              try {
                in.transferTo(OutputStream.nullOutputStream());
              } catch (IOException e) {
                // Cannot be read any more: whoever held the other end has gone.
              }
              daemon.close();
            },
            "pilotlight-stdin");
    watcher.setDaemon(true);
    watcher.start();
  }
}
