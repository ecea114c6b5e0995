package io.pilotlight.it.functions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;

/** Tells what a process sees from the inside. */
public final class Inside implements Function<Map<String, Object>, Object> {
  /** Its member {@code do} says what. */
  @Override
  public Object apply(Map<String, Object> request) {
    try {
      return switch ((String) request.get("do")) {
        case "list" -> list(path(request));
        case "read" -> Files.readString(path(request));
        case "exists" -> Files.exists(path(request));
        case "write" -> Files.writeString(path(request), (String) request.get("text")).toString();
        case "threads" -> threads();
        case "pid" -> ProcessHandle.current().pid();
        case "connect" -> connect((Integer) request.get("port"));
        case "run" -> run(request);
        default -> throw new IllegalArgumentException("do what? " + request);
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path path(Map<String, Object> request) {
    return Path.of((String) request.get("path"));
  }

  private static List<String> list(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  private static String connect(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected() ? "connected" : "not connected";
    }
  }

  /** Names by id. */
  private static Map<String, String> threads() throws IOException {
    Map<String, String> names = new TreeMap<>();
    for (String id : list(Path.of("/proc/self/task"))) {
      names.put(id, Files.readString(Path.of("/proc/self/task/" + id + "/comm")).strip());
    }
    return names;
  }

  @SuppressWarnings("unchecked")
  private static String run(Map<String, Object> request) throws IOException {
    Process process =
        new ProcessBuilder((List<String>) request.get("command")).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return output;
  }
}
