package io.pilotlight.it.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where a JVM listens for {@code jcmd}: what that does, without a JVM of its own for each command
 * (attachListener_posix.cpp; sun/tools/attach/VirtualMachineImpl.java).
 */
public final class AttachListener {
  private static final Path TMP = Path.of("/tmp");

  private AttachListener() {}

  /** Has a process of the same user carry out a command of jcmd; returns what it printed. */
  public static String command(long pid, String command) throws Exception {
    Path socket = TMP.resolve(".java_pid" + pid);
    if (!Files.exists(socket)) {
      listen(pid, socket);
    }
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      // The version of the protocol, and the command with three arguments.
      String request = "1\0jcmd\0" + command + "\0\0\0";
      channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
      String answer = readAll(channel);
      if (!answer.startsWith("0\n")) {
        throw new AssertionError(command + " in process " + pid + ": " + answer);
      }
      return answer.substring(2);
    }
  }

  /** A JVM begins to listen when it gets SIGQUIT while there is this file. */
  private static void listen(long pid, Path socket) throws Exception {
    Path trigger = Files.createFile(TMP.resolve(".attach_pid" + pid));
    try {
      TestJvm.run(List.of("bash", "-c", "kill -QUIT " + pid));
      Eventually.holds("process " + pid + " listens", () -> Files.exists(socket));
    } finally {
      Files.delete(trigger);
    }
  }

  private static String readAll(SocketChannel channel) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    while (channel.read(buffer) >= 0) {
      out.write(buffer.array(), 0, buffer.position());
      buffer.clear();
    }
    return out.toString(StandardCharsets.UTF_8);
  }
}
