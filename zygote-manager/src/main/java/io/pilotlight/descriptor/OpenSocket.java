package io.pilotlight.descriptor;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What is known of an open socket.
 *
 * @param protocol {@code TCP}, {@code UDP}, {@code Unix}, or empty if it is of another kind
 * @param state what it is used for
 * @param local its own address; null if it has none, or is no internet socket
 * @param remote its peer's address; null likewise
 * @param localPath the path that a Unix socket is bound to, or empty
 * @param remotePath the path that its peer is bound to, or empty
 */
public record OpenSocket(
    String protocol,
    State state,
    @Nullable InetSocketAddress local,
    @Nullable InetSocketAddress remote,
    String localPath,
    String remotePath) {

  /** What a socket is used for. */
  public enum State {
    /** It waits for connections. */
    LISTENING,
    /** It has a peer. */
    CONNECTED,
    /** Neither. */
    OTHER
  }

  /** One of which nothing is known. */
  public static final OpenSocket UNKNOWN = new OpenSocket("", State.OTHER, null, null, "", "");

  /** An internet socket. */
  public static OpenSocket internet(
      String protocol,
      State state,
      @Nullable InetSocketAddress local,
      @Nullable InetSocketAddress remote) {
    return new OpenSocket(protocol, state, local, remote, "", "");
  }

  /** A Unix socket. */
  public static OpenSocket unix(State state, String localPath, String remotePath) {
    return new OpenSocket("Unix", state, null, null, localPath, remotePath);
  }

  /** A phrase that begins with "is". */
  String description() {
    if (protocol.isEmpty()) {
      return "is a socket";
    }
    if (protocol.equals("Unix")) {
      return unixDescription();
    }
    return switch (state) {
      case LISTENING -> "is a " + protocol + " socket that listens on " + shown(local);
      case CONNECTED ->
          "is a " + protocol + " connection from " + shown(local) + " to " + shown(remote);
      case OTHER -> "is a " + protocol + " socket, local " + shown(local);
    };
  }

  private String unixDescription() {
    String at = localPath.isEmpty() ? "without a name" : "at " + localPath;
    return switch (state) {
      case LISTENING -> "is a Unix socket that listens " + at;
      case CONNECTED ->
          "is a Unix socket "
              + at
              + " that is connected"
              + (remotePath.isEmpty() ? "" : " to " + remotePath);
      case OTHER -> "is a Unix socket " + at;
    };
  }

  private static String shown(@Nullable InetSocketAddress address) {
    if (address == null) {
      return "nowhere";
    }
    String host = address.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  /** The keys of a rule that would match it. */
  String rulePattern() {
    if (!remotePath.isEmpty()) {
      return "remotePath: " + remotePath + "; ";
    }
    if (!localPath.isEmpty()) {
      return "localPath: " + localPath + "; ";
    }
    if (protocol.equals("Unix")) {
      return "family: unix; ";
    }
    if (remote != null) {
      return "remoteAddress: "
          + remote.getAddress().getHostAddress()
          + "; remotePort: "
          + remote.getPort()
          + "; ";
    }
    return local == null ? "" : "localPort: " + local.getPort() + "; ";
  }
}
