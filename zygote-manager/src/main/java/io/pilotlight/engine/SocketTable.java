package io.pilotlight.engine;

import io.pilotlight.descriptor.OpenSocket;
import io.pilotlight.descriptor.OpenSocket.State;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.UnixPeers;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out what a socket of a process is connected to, in /proc/PID/net; see proc(5). */
final class SocketTable {
  private static final int INTERNET_INODE = 9;
  private static final int UNIX_FLAGS = 3;
  private static final int UNIX_STATE = 5;
  private static final int UNIX_INODE = 6;
  private static final int UNIX_PATH = 7;
  private static final String LISTEN = "0A";
  private static final String ACCEPTS_CONNECTIONS = "00010000";
  private static final String UNIX_CONNECTED = "03";
  private static final Logger LOG = LoggerFactory.getLogger(SocketTable.class);
  private final Path net;

  SocketTable(int pid) {
    this.net = Path.of("/proc/" + pid + "/net");
  }

  /** What is known of a socket. */
  OpenSocket find(long inode) throws IOException {
    for (String protocol : List.of("tcp", "tcp6", "udp", "udp6")) {
      Optional<String[]> fields = row(protocol, INTERNET_INODE, inode);
      if (fields.isPresent()) {
        return internet(protocol.replace("6", "").toUpperCase(Locale.ROOT), fields.get());
      }
    }
    Optional<String[]> fields = row("unix", UNIX_INODE, inode);
    return fields.isPresent() ? unix(inode, fields.get()) : OpenSocket.UNKNOWN;
  }

  /** The inode of the Unix socket at the other end; see {@link UnixPeers#of}. */
  OptionalLong peer(long inode) {
    try {
      return UnixPeers.of(inode);
    } catch (KernelException e) {
      // Without it a pair of sockets is refused by name, like any other connection.
      LOG.warn("which Unix sockets are connected cannot be told", e);
      return OptionalLong.empty();
    }
  }

  private Optional<String[]> row(String protocol, int inodeField, long inode) throws IOException {
    Path file = net.resolve(protocol);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    String wanted = Long.toString(inode);
    for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
      String[] fields = line.strip().split(" +", -1);
      if (fields.length > inodeField && fields[inodeField].equals(wanted)) {
        return Optional.of(fields);
      }
    }
    return Optional.empty();
  }

  private OpenSocket unix(long inode, String[] fields) throws IOException {
    State state = State.OTHER;
    String remotePath = "";
    if (fields[UNIX_FLAGS].equals(ACCEPTS_CONNECTIONS)) {
      state = State.LISTENING;
    } else if (fields[UNIX_STATE].equals(UNIX_CONNECTED)) {
      state = State.CONNECTED;
      OptionalLong peer = peer(inode);
      if (peer.isPresent()) {
        remotePath = row("unix", UNIX_INODE, peer.getAsLong()).map(SocketTable::path).orElse("");
      }
    }
    return OpenSocket.unix(state, path(fields), remotePath);
  }

  private static String path(String[] fields) {
    return fields.length > UNIX_PATH ? fields[UNIX_PATH] : "";
  }

  private static OpenSocket internet(String protocol, String[] fields) throws IOException {
    InetSocketAddress local = address(fields[1]);
    InetSocketAddress remote = address(fields[2]);
    if (fields[3].equals(LISTEN)) {
      return OpenSocket.internet(protocol, State.LISTENING, local, null);
    }
    State state = remote == null ? State.OTHER : State.CONNECTED;
    return OpenSocket.internet(protocol, state, local, remote);
  }

  /**
   * The kernel prints an address as 32-bit words in host order, in hexadecimal. Port 0 stands for
   * no address.
   */
  private static @Nullable InetSocketAddress address(String field) throws IOException {
    String[] parts = field.split(":", -1);
    byte[] words = HexFormat.of().parseHex(parts[0]);
    byte[] bytes = new byte[words.length];
    for (int i = 0; i < words.length; i++) {
      bytes[i] = words[i / 4 * 4 + 3 - i % 4];
    }
    int port = Integer.parseInt(parts[1], 16);
    return port == 0 ? null : new InetSocketAddress(InetAddress.getByAddress(bytes), port);
  }
}
