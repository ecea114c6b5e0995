package io.pilotlight.it.support;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The real daemon, a process of its own on the JDK under test. */
public final class DaemonProcess {
  private static final int END_SECONDS = 90;

  private final Setup setup;
  private final Process process;
  private final Path log;
  private final Api api;
  private boolean killed;

  private DaemonProcess(Setup setup, Process process, Path log, Api api) {
    this.setup = setup;
    this.process = process;
    this.log = log;
    this.api = api;
  }

  /**
   * How to start one.
   *
   * @param installation the directory of pilotlight.jar
   * @param data its data directory
   * @param launcher a command that runs the command behind it, or nothing
   * @param arguments for the daemon
   */
  public record Setup(Path installation, Path data, List<String> launcher, List<String> arguments) {
    /** As it was built, on that data directory. */
    public static Setup on(Path data) {
      Path root = Path.of(System.getProperty("pilotlight.root"));
      return new Setup(
          root.resolve("node-daemon/target").toAbsolutePath().normalize(),
          data,
          List.of(),
          List.of());
    }

    /** The same with further arguments. */
    public Setup with(String... more) {
      return new Setup(installation, data, launcher, List.of(more));
    }

    /** The whole command. */
    public List<String> command() {
      List<String> command = new ArrayList<>(launcher);
      command.add(TestJvm.tool("java").toString());
      command.addAll(List.of("-XX:+UseSerialGC", "-Xmx512m", "-XX:-UsePerfData"));
      command.addAll(List.of("-jar", installation.resolve("pilotlight.jar").toString()));
      command.addAll(List.of("daemon", "--listen", "127.0.0.1:0", "--json"));
      command.addAll(List.of("--data", data.toString()));
      command.addAll(arguments);
      return command;
    }
  }

  /** Starts one, and returns when it is ready; its output goes to a new file in {@code logs}. */
  static DaemonProcess start(Setup setup, Path logs, Starter starter) throws Exception {
    Path log = Files.createTempFile(logs, "daemon-", ".log");
    Process process = starter.start(builder(setup, log));
    try {
      JsonNode announced =
          Eventually.get("the daemon's address in " + log, () -> announced(process, log));
      DaemonProcess daemon =
          new DaemonProcess(
              setup, process, log, new Api(URI.create(announced.get("url").asText())));
      Eventually.holds("readiness", () -> daemon.api().get("/readyz").status() == 200);
      return daemon;
    } catch (Exception | AssertionError e) {
      process.destroyForcibly().waitFor();
      throw new AssertionError("the daemon did not start; its output:\n" + read(log), e);
    }
  }

  /** Starts one that may end by itself. */
  public static Process launch(Setup setup, Path log) throws IOException {
    return builder(setup, log).start();
  }

  private static ProcessBuilder builder(Setup setup, Path log) {
    return new ProcessBuilder(setup.command())
        .redirectErrorStream(true)
        .redirectOutput(log.toFile());
  }

  /** Starts a process in its own way. */
  public interface Starter {
    /** Starts it. */
    Process start(ProcessBuilder builder) throws IOException;
  }

  private static JsonNode announced(Process process, Path log) {
    Optional<String> line = read(log).lines().filter(l -> l.startsWith("{\"url\":")).findFirst();
    if (line.isEmpty() && !process.isAlive()) {
      throw new AssertionError("the daemon ended with status " + process.exitValue());
    }
    return line.map(Api::json).orElse(null);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** How it was started. */
  public Setup setup() {
    return setup;
  }

  /** Its HTTP interface. */
  public Api api() {
    return api;
  }

  /** Its process. */
  public long pid() {
    return process.pid();
  }

  /** Whether it runs. */
  public boolean running() {
    return process.isAlive();
  }

  /** Everything that it has written. */
  public String log() {
    return read(log);
  }

  /** The lines of its log that contain all of these texts. */
  public List<String> logLines(String... texts) {
    return log().lines().filter(line -> Stream.of(texts).allMatch(line::contains)).toList();
  }

  /** Sends SIGTERM, does not wait. */
  public void signalEnd() {
    process.destroy();
  }

  /** Waits for its end; returns its exit status. */
  public int awaitEnd() throws InterruptedException {
    if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new AssertionError("the daemon did not end within " + END_SECONDS + " s");
    }
    return process.exitValue();
  }

  /** Whether it was killed, and so could not clean up: the next one on its data does. */
  boolean killed() {
    return killed;
  }

  /** Kills it with SIGKILL and waits for its end. */
  public void kill() throws InterruptedException {
    killed = true;
    process.destroyForcibly().waitFor();
  }

  /** Zygotes, clones and cold JVMs on its data directory, by whichever daemon they were made. */
  public List<ProcessTable.Entry> functionProcesses() throws IOException {
    return functionProcesses(setup.data());
  }

  /** Zygotes, clones and cold JVMs on that data directory. */
  public static List<ProcessTable.Entry> functionProcesses(Path data) throws IOException {
    Optional<String> owner = owner(data);
    return owner.isEmpty()
        ? List.of()
        : ProcessTable.withArgument(argument -> argument.endsWith("=owner=" + owner.get()));
  }

  /** Control groups of its data directory, by whichever daemon they were made. */
  public List<Path> controlGroups() throws IOException {
    Optional<String> owner = owner(setup.data());
    return owner.isEmpty() ? List.of() : ControlGroupTable.named("-" + owner.get());
  }

  private static Optional<String> owner(Path data) throws IOException {
    Path file = data.resolve("run/owner");
    return Files.exists(file) ? Optional.of(Files.readString(file).strip()) : Optional.empty();
  }

  /** Files for zygotes: sockets and records. */
  public List<String> runFiles() throws IOException {
    try (Stream<Path> files = Files.list(setup.data().resolve("run"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** Ends it gracefully if it runs, and whatever it has left. */
  void end() throws Exception {
    if (process.isAlive()) {
      signalEnd();
      awaitEnd();
    }
  }
}
