package io.pilotlight.it.support;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One call of the command line: a program that runs under it, or one that says something. */
public final class ManagedProgram {
  private static final int END_SECONDS = 90;

  private final Process process;
  private final OutputStream input;
  private final Path out;
  private final Path err;

  private ManagedProgram(Process process, Path out, Path err) {
    this.process = process;
    this.input = process.getOutputStream();
    this.out = out;
    this.err = err;
  }

  /**
   * Where and how the command line is started.
   *
   * @param jar pilotlight.jar
   * @param launcher a command that runs the command behind it, or nothing
   * @param directory for its output and its sockets; the user that it runs as owns it
   */
  public record Place(Path jar, List<String> launcher, Path directory) {
    /** Starts a command. */
    public ManagedProgram start(Map<String, String> environment, String... arguments)
        throws IOException {
      List<String> command = new ArrayList<>(launcher);
      command.add(TestJvm.tool("java").toString());
      command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
      command.addAll(List.of("-DPILOTLIGHT_LOG_LEVEL=WARN", "-jar", jar.toString()));
      command.addAll(List.of(arguments));
      Path out = Files.createTempFile(directory, "program-", ".out");
      Path err = Files.createTempFile(directory, "program-", ".err");
      ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
      builder.redirectOutput(out.toFile()).redirectError(err.toFile());
      builder.environment().put("XDG_RUNTIME_DIR", directory.toString());
      builder.environment().putAll(environment);
      return new ManagedProgram(builder.start(), out, err);
    }
  }

  /** Writes a line to its stdin. */
  public void say(String line) throws IOException {
    input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    input.flush();
  }

  /** Waits for a line of its stdout that begins so, and returns what follows. */
  public String awaitLine(String begin) throws Exception {
    return Eventually.get(
        "a line '" + begin + "' of " + this,
        () -> {
          String line =
              out().lines().filter(l -> l.startsWith(begin)).reduce((a, b) -> b).orElse(null);
          if (line == null && !process.isAlive() && !out().contains(begin)) {
            throw new AssertionError("it has ended: " + this);
          }
          return line == null ? null : line.substring(begin.length()).strip();
        });
  }

  /** What it wrote to stdout. */
  public String out() throws IOException {
    return Files.readString(out);
  }

  /** What it wrote to stderr. */
  public String err() throws IOException {
    return Files.readString(err);
  }

  /** The process of the command line. */
  public ProcessHandle command() {
    return process.toHandle();
  }

  /** Waits for its end; returns its status. */
  public int awaitEnd() throws Exception {
    if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("it does not end: " + this);
    }
    return process.exitValue();
  }

  /** Ends it if it has not ended; what it runs ends with it. */
  public void end() throws Exception {
    process.destroyForcibly().waitFor();
  }

  @Override
  public String toString() {
    try {
      return process + "\nstdout: " + out() + "\nstderr: " + err();
    } catch (IOException e) {
      return process.toString();
    }
  }
}
