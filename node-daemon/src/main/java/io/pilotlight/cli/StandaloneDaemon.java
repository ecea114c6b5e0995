package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A daemon of one command's own: another process, on a free port, with its data in a temporary
 * directory. It ends when its standard input does, so it cannot outlive the command however that
 * ends.
 */
final class StandaloneDaemon implements AutoCloseable {
  private static final int LOG_LINES = 20;
  private static final int STOP_SECONDS = 60;

  private final TemporaryDirectory directory;
  private final Process process;
  private final URI uri;
  private final AtomicBoolean closed = new AtomicBoolean();

  private StandaloneDaemon(TemporaryDirectory directory, Process process, URI uri) {
    this.directory = directory;
    this.process = process;
    this.uri = uri;
  }

  /** Starts one, and returns when it listens. */
  static StandaloneDaemon start() throws CliException {
    TemporaryDirectory directory = TemporaryDirectory.create("pilotlight-");
    Path log = log(directory);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-jar", Installation.jar().toString(), "daemon"));
    command.addAll(List.of("--listen", "127.0.0.1:0", "--until-eof", "--json"));
    command.addAll(List.of("--data", directory.path().resolve("data").toString()));
    try {
      Process process = new ProcessBuilder(command).redirectError(log.toFile()).start();
      // The daemon prints one line when it listens, and nothing else on stdout.
      BufferedReader out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      String line = out.readLine();
      if (line == null) {
        List<String> lines = tail(log);
        directory.close();
        throw new CliException("the daemon ended instead of listening; the end of its log:", lines);
      }
      URI uri = URI.create(new ObjectMapper().readTree(line).path("url").asText());
      StandaloneDaemon daemon = new StandaloneDaemon(directory, process, uri);
      Runtime.getRuntime().addShutdownHook(new Thread(daemon::closeOnShutdown));
      return daemon;
    } catch (IOException e) {
      throw new CliException("a daemon cannot be started: " + e);
    }
  }

  private static Path log(TemporaryDirectory directory) {
    return directory.path().resolve("daemon.log");
  }

  URI uri() {
    return uri;
  }

  long pid() {
    return process.pid();
  }

  /** Lets it drain and end its zygotes, and removes its files. */
  @Override
  public void close() throws CliException {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      process.getOutputStream().close();
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new CliException(
            "the daemon did not end within " + STOP_SECONDS + " s and was killed", logTail());
      }
      if (process.exitValue() != 0) {
        throw new CliException("the daemon ended with status " + process.exitValue(), logTail());
      }
    } catch (IOException e) {
      throw new CliException("the daemon cannot be told to stop: " + e);
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while the daemon was stopping");
    } finally {
      directory.close();
    }
  }

  /** On SIGINT no block of the command that uses this is left in order, but hooks are run. */
  private void closeOnShutdown() {
    try {
      close();
    } catch (CliException e) {
      System.err.println("pilotlight: " + e.getMessage());
    }
  }

  private List<String> logTail() throws IOException {
    return tail(log(directory));
  }

  private static List<String> tail(Path log) throws IOException {
    List<String> lines = Files.readAllLines(log);
    return lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size());
  }
}
