package io.pilotlight.agent;

import io.pilotlight.agent.wire.Frame;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A JVM with the agent's jar, and a connection that it has open under the number 3. The shell makes
 * that connection, since a JVM can give its child no descriptor beyond the first three.
 */
final class HostProcess implements AutoCloseable {
  private static final String CONNECT =
      "port=$1; shift; exec 3<>/dev/tcp/127.0.0.1/$port; exec \"$@\" </dev/null";
  private static final int TIMEOUT_MILLIS = 60_000;

  private final Process process;
  private final Path output;
  private final Socket socket;
  private final ControlChannel channel;

  private HostProcess(Process process, Path output, Socket socket) throws IOException {
    this.process = process;
    this.output = output;
    this.socket = socket;
    this.channel = new ControlChannel(socket.getInputStream(), socket.getOutputStream());
  }

  static HostProcess start(Path directory, String... jvmArguments) throws IOException {
    Path agent = Path.of(System.getProperty("pilotlight.agent.jar"));
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path output = Files.createTempFile(directory, "output", ".txt");
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      server.setSoTimeout(TIMEOUT_MILLIS);
      List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", CONNECT, "bash"));
      command.add(Integer.toString(server.getLocalPort()));
      command.addAll(List.of(java.toString(), "-XX:+UseSerialGC", "-XX:-UsePerfData"));
      command.addAll(List.of(jvmArguments));
      command.addAll(
          List.of(
              "-javaagent:" + agent + "=owner=test",
              "-Dpilotlight.control.fd=3",
              "-cp",
              agent.toString(),
              "io.pilotlight.agent.FunctionHost"));
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      Socket socket = server.accept();
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(TIMEOUT_MILLIS);
      return new HostProcess(process, output, socket);
    }
  }

  Frame ask(Frame frame) throws IOException {
    channel.write(frame);
    return channel.read();
  }

  Frame invoke(String payload) throws IOException {
    return ask(
        new Frame.Invoke(
            "request-1", Long.MAX_VALUE, Map.of(), payload.getBytes(StandardCharsets.UTF_8)));
  }

  void tell(Frame frame) throws IOException {
    channel.write(frame);
  }

  Frame read() throws IOException {
    return channel.read();
  }

  String output() throws IOException {
    return Files.readString(output);
  }

  /** What its descriptors lead to. */
  List<String> descriptors() throws IOException {
    List<String> targets = new ArrayList<>();
    try (Stream<Path> links = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
      for (Path link : links.toList()) {
        targets.add(Files.readSymbolicLink(link).toString());
      }
    }
    return targets;
  }

  /** The names of its threads. */
  List<String> threads() throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + process.pid() + "/task"))) {
      for (Path task : tasks.toList()) {
        names.add(Files.readString(task.resolve("comm")).strip());
      }
    }
    return names;
  }

  /** Closes the daemon's end. */
  void hangUp() throws IOException {
    socket.close();
  }

  int exitStatus() throws InterruptedException {
    if (!process.waitFor(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException("process " + process.pid() + " does not end");
    }
    return process.exitValue();
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    socket.close();
  }
}
