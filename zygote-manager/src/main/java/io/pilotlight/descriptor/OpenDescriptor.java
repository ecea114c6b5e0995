package io.pilotlight.descriptor;

import io.pilotlight.descriptor.OpenSocket.State;
import org.jspecify.annotations.Nullable;

/**
 * A descriptor that is open in a frozen process.
 *
 * @param number its number
 * @param kind what it is
 * @param target as the kernel shows it: a path, {@code socket:[123]}, {@code anon_inode:inotify}
 * @param socket what is known of it if it is a socket, else null
 */
public record OpenDescriptor(
    int number, DescriptorKind kind, String target, @Nullable OpenSocket socket) {
  private static final String DELETED = " (deleted)";

  /** One that is no socket. */
  public OpenDescriptor(int number, DescriptorKind kind, String target) {
    this(number, kind, target, null);
  }

  /** A socket. */
  public OpenDescriptor(int number, String target, OpenSocket socket) {
    this(number, DescriptorKind.SOCKET, target, socket);
  }

  /** The path of a file, as it was opened. */
  public String path() {
    return target.endsWith(DELETED)
        ? target.substring(0, target.length() - DELETED.length())
        : target;
  }

  /** What it is: a phrase that begins with "is". */
  public String description() {
    if (socket != null) {
      return socket.description();
    }
    return switch (kind) {
      case FILE -> "is the file " + target;
      case PIPE -> "is an end of " + target;
      default -> special();
    };
  }

  private String special() {
    String name = target.replace("anon_inode:", "").replaceAll("[\\[\\]]", "");
    return switch (name) {
      case "inotify" ->
          "is an inotify instance (a WatchService has one), whose events clones would take from"
              + " each other";
      case "signalfd" -> "is a signalfd, whose signals clones would take from each other";
      case "io_uring" -> "is an io_uring, whose queues are memory that clones would share";
      default -> "is " + target + ", which clones would share";
    };
  }

  /** The rule that would allow it, on one line. */
  public String allowingRule() {
    return switch (kind) {
      case FILE -> "type: file; path: " + path() + "; action: close";
      case PIPE -> "type: pipe; action: close";
      case FILEDESCRIPTOR -> "type: filedescriptor; regex: \\Q" + target + "\\E; action: close";
      case SOCKET ->
          "type: socket; "
              + (socket == null ? "" : socket.rulePattern())
              + "action: "
              + (socket != null && socket.state() == State.LISTENING ? "inherit" : "close");
    };
  }
}
