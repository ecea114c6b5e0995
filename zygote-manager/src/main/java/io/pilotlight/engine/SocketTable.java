package io.pilotlight.engine;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/** Finds out what a socket of a process is connected to, in /proc/PID/net; see proc(5). */
final class SocketTable {
  private static final int INODE_FIELD = 9;
  private static final String LISTEN = "0A";
  private static final String ESTABLISHED = "01";
  private final Path net;

  SocketTable(int pid) {
    this.net = Path.of("/proc/" + pid + "/net");
  }

  /** A phrase that begins with "is". */
  String describe(String inode) throws IOException {
    for (String protocol : List.of("tcp", "tcp6", "udp", "udp6")) {
      for (String line : lines(protocol)) {
        String[] fields = line.strip().split(" +", -1);
        if (fields.length > INODE_FIELD && fields[INODE_FIELD].equals(inode)) {
          return internet(protocol.replace("6", "").toUpperCase(java.util.Locale.ROOT), fields);
        }
      }
    }
    for (String line : lines("unix")) {
      String[] fields = line.strip().split(" +", -1);
      if (fields.length > 6 && fields[6].equals(inode)) {
        return "is a Unix socket " + (fields.length > 7 ? "at " + fields[7] : "without a name");
      }
    }
    return "is a socket";
  }

  private List<String> lines(String protocol) throws IOException {
    Path file = net.resolve(protocol);
    if (!Files.exists(file)) {
      return List.of();
    }
    List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
    return lines.subList(Math.min(1, lines.size()), lines.size());
  }

  private static String internet(String protocol, String[] fields) throws IOException {
    String local = address(fields[1]);
    String remote = address(fields[2]);
    return switch (fields[3]) {
      case LISTEN -> "is a " + protocol + " socket that listens on " + local;
      case ESTABLISHED -> "is a " + protocol + " connection from " + local + " to " + remote;
      default -> "is a " + protocol + " socket, local " + local + ", peer " + remote;
    };
  }

  /** The kernel prints an address as 32-bit words in host order, in hexadecimal. */
  private static String address(String field) throws IOException {
    String[] parts = field.split(":", -1);
    byte[] words = HexFormat.of().parseHex(parts[0]);
    byte[] bytes = new byte[words.length];
    for (int i = 0; i < words.length; i++) {
      bytes[i] = words[i / 4 * 4 + 3 - i % 4];
    }
    String host = InetAddress.getByAddress(bytes).getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + Integer.parseInt(parts[1], 16);
  }
}
