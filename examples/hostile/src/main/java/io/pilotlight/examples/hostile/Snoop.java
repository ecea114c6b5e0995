package io.pilotlight.examples.hostile;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Looks for what belongs to others: memory, environment and descriptors of processes, files,
 * sockets. The event names targets that it could have guessed: {@code pids}, {@code files}, {@code
 * sockets}, {@code ports}, and a {@code marker} that others have in their environment.
 */
public final class Snoop implements Function<Map<String, Object>, Map<String, String>> {
  private static final int CONNECT_MILLIS = 2_000;

  @Override
  public Map<String, String> apply(Map<String, Object> event) {
    Attempts attempts = new Attempts();
    for (Object pid : targets(event, "pids")) {
      attempts.attempt("memory of " + pid, () -> memory(String.valueOf(pid)));
      attempts.attempt("environment of " + pid, () -> read("/proc/" + pid + "/environ"));
      attempts.attempt("root of " + pid, () -> list("/proc/" + pid + "/root/"));
    }
    for (Object file : targets(event, "files")) {
      attempts.attempt("file " + file, () -> read((String) file));
    }
    for (Object socket : targets(event, "sockets")) {
      attempts.attempt("socket " + socket, () -> connect((String) socket));
    }
    for (Object port : targets(event, "ports")) {
      attempts.attempt("port " + port, () -> connect((Integer) port));
    }
    attempts.attempt("any environment", () -> search(String.valueOf(event.get("marker"))));
    return attempts.outcomes();
  }

  private static List<?> targets(Map<String, Object> event, String kind) {
    return event.get(kind) instanceof List<?> list ? list : List.of();
  }

  private static String memory(String pid) throws IOException {
    for (String mapping : Files.readAllLines(Path.of("/proc", pid, "maps"))) {
      if (mapping.contains(" rw-p ")) {
        long start = Long.parseUnsignedLong(mapping.substring(0, mapping.indexOf('-')), 16);
        try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
          memory.seek(start);
          return "a byte, " + memory.read();
        }
      }
    }
    throw new IOException("it has no memory that is shown");
  }

  private static String read(String file) throws IOException {
    return new String(Files.readAllBytes(Path.of(file)), StandardCharsets.ISO_8859_1);
  }

  private static String list(String directory) throws IOException {
    try (Stream<Path> entries = Files.list(Path.of(directory))) {
      return entries.toList().toString();
    }
  }

  private static String connect(String path) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(path));
      return "connected";
    }
  }

  private static String connect(int port) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_MILLIS);
      return "connected";
    }
  }

  /** In every process that is shown. */
  private static String search(String marker) throws IOException {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path process :
          processes.filter(p -> p.getFileName().toString().matches("\\d+")).toList()) {
        String environment = read(process + "/environ");
        if (environment.contains(marker)) {
          return process + " has it";
        }
      }
    }
    throw new IOException("no process that is shown has it");
  }
}
