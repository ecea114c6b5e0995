package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A daemon of one command's own: another process, on a free port, with its data in a temporary
 * directory. It ends when its standard input does, so it cannot outlive the command however that
 * ends.
 */
final class StandaloneDaemon implements AutoCloseable {
  private static final int LOG_LINES = 20;
  private static final int STOP_SECONDS = 60;

  private final Path directory;
  private final Process process;
  private final URI uri;

  private StandaloneDaemon(Path directory, Process process, URI uri) {
    this.directory = directory;
    this.process = process;
    this.uri = uri;
  }

  /** Starts one, and returns when it listens. */
  static StandaloneDaemon start() throws CliException {
    try {
      Path directory = Files.createTempDirectory("pilotlight-");
      Path log = directory.resolve("daemon.log");
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
      command.addAll(List.of("-jar", Installation.jar().toString(), "daemon"));
      command.addAll(List.of("--listen", "127.0.0.1:0", "--until-eof", "--json"));
      command.addAll(List.of("--data", directory.resolve("data").toString()));
      Process process = new ProcessBuilder(command).redirectError(log.toFile()).start();
      return listening(directory, process, log);
    } catch (IOException e) {
      throw new CliException("a daemon cannot be started: " + e);
    }
  }

  private static StandaloneDaemon listening(Path directory, Process process, Path log)
      throws IOException, CliException {
    // The daemon prints one document when it listens, and nothing else on stdout.
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = out.readLine();
    if (line == null) {
      List<String> lines = Files.readAllLines(log);
      delete(directory);
      throw new CliException(
          "the daemon ended instead of listening; the end of its log:",
          lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }
    JsonNode document = new ObjectMapper().readTree(line);
    return new StandaloneDaemon(directory, process, URI.create(document.path("url").asText()));
  }

  URI uri() {
    return uri;
  }

  long pid() {
    return process.pid();
  }

  /** A directory that is removed with the daemon. */
  Path directory() {
    return directory;
  }

  /** Lets it drain and end its zygotes, and removes its files. */
  @Override
  public void close() throws CliException {
    try {
      process.getOutputStream().close();
      boolean ended = process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
      if (!ended) {
        process.destroyForcibly().waitFor();
      }
      int status = process.exitValue();
      if (!ended || status != 0) {
        throw new CliException(
            (ended
                    ? "the daemon ended with status " + status
                    : "the daemon did not end within " + STOP_SECONDS + " s and was killed")
                + "; its log is "
                + directory.resolve("daemon.log"));
      }
      delete(directory);
    } catch (IOException e) {
      throw new CliException("the daemon's files in " + directory + " cannot be removed: " + e);
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while the daemon was stopping");
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      files
          .sorted(Comparator.reverseOrder())
          .forEach(
              file -> {
                try {
                  Files.delete(file);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
