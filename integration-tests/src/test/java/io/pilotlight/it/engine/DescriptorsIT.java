package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.it.functions.Holding;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FreezePolicy;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a function has open when it is frozen, one kind after the other, with and without rules. */
final class DescriptorsIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final FreezePolicy QUICK = new FreezePolicy(false, true, false);

  @TempDir Path directory;

  @Test
  void filesHaveTheirOwnOffset() throws Exception {
    try (Held held = hold("file", lines().toString(), "")) {
      FunctionJvm first = held.fork();
      FunctionJvm second = held.fork();
      assertThat(call(first)).isEqualTo("second");
      assertThat(call(first)).isEqualTo("third");
      assertThat(call(second)).isEqualTo("second");
    }
  }

  @Test
  void sharedFileHasOneOffset() throws Exception {
    // What is not wanted by default, which shows that the test above can fail.
    try (Held held =
        hold("file", lines().toString(), "type: file\npath: **/lines\naction: inherit")) {
      assertThat(held.zygote().warnings())
          .anyMatch(w -> w.contains("/lines; rule: ") && w.contains("action: inherit"));
      assertThat(call(held.fork())).isEqualTo("second");
      assertThat(call(held.fork())).isEqualTo("third");
    }
  }

  @Test
  void closedFileCannotBeUsed() throws Exception {
    String rule = "type: file\npath: **/lines\nwarn: false\naction: close";
    try (Held held = hold("file", lines().toString(), rule)) {
      assertThat(held.zygote().warnings()).isEmpty();
      assertThat(call(held.fork())).contains("IOException", "Bad file descriptor");
    }
  }

  @Test
  void forbiddenFileIsRefused() throws Exception {
    refused("file", lines().toString(), "type: file\npath: **/lines\naction: error")
        .hasMessageContaining(lines() + ", which the rule 'type: file; path: **/lines;");
  }

  @Test
  void removedFileIsCopiedUnlessItIsLarge() throws Exception {
    try (Held held = hold("removed", lines().toString(), "")) {
      FunctionJvm first = held.fork();
      assertThat(call(first)).isEqualTo("second");
      assertThat(call(first)).isEqualTo("third");
      assertThat(call(held.fork())).isEqualTo("second");
    }
    makeLarge();
    refused("removed", lines().toString(), "")
        .hasMessageContaining("has no name any more, has 4194305 bytes")
        .hasMessageContaining("4194304 of all such files together")
        .hasMessageContaining("'type: file; path: " + lines() + "; action: close'");
    makeLarge();
    try (Held held =
        hold("removed", lines().toString(), "type: file\naction: ignore\nwarn: false")) {
      assertThat(call(held.fork())).isEqualTo("second");
    }
  }

  private void makeLarge() throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(lines().toFile(), "rw")) {
      file.setLength((4 << 20) + 1);
    }
  }

  @Test
  void namedPipeIsRefusedUnlessInherited() throws Exception {
    Path pipe = directory.resolve("fifo");
    TestJvm.run(List.of("mkfifo", pipe.toString()));
    refused("pipe", pipe.toString(), "").hasMessageContaining("special file " + pipe);
    try (Held held = hold("pipe", pipe.toString(), "type: file\npath: **/fifo\naction: inherit")) {
      assertThat(call(held.fork())).isEqualTo("input");
    }
  }

  @ParameterizedTest
  @CsvSource({"timerfd, 8 true", "eventfd, 8 7", "socketpair, waits input"})
  void kernelObjectsAreMadeAnew(String kind, String answer) throws Exception {
    try (Held held = hold(kind, "", "")) {
      // A shared one would be empty for the second, whose call would then wait for ever.
      assertThat(call(held.fork())).isEqualTo(answer);
      assertThat(call(held.fork())).isEqualTo(answer);
    }
  }

  @ParameterizedTest
  @CsvSource({"signalfd, is a signalfd", "io_uring, is an io_uring", "watch, is an inotify"})
  void queuesAreRefusedUnlessClosed(String kind, String named) throws Exception {
    refused(kind, directory.toString(), "")
        .hasMessageContaining(named)
        .hasMessageContaining("type: filedescriptor; regex: ")
        .hasMessageContaining("--agent trackDescriptors");
    try (Held held = hold(kind, directory.toString(), "type: filedescriptor\naction: close")) {
      assertThat(call(held.fork())).isNotEmpty();
    }
  }

  @Test
  void connectionIsRefusedUnlessClosed() throws Exception {
    try (ServerSocket peer = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(peer.getLocalPort());
      refused("connection", port, "")
          .hasMessageContaining("is a TCP connection from 127.0.0.1:")
          .hasMessageContaining("remoteAddress: 127.0.0.1; remotePort: " + port);
      peer.accept().close();
      refused("connection", port, "type: socket\naction: reopen")
          .hasMessageContaining("cannot be opened again");
      peer.accept().close();
      for (String action : List.of("close", "ignore")) {
        String rule = "type: socket\nremotePort: " + port + "\naction: " + action;
        try (Held held = hold("connection", port, rule);
            Socket accepted = peer.accept()) {
          // The peer is told at the freeze already: nobody speaks to it any more.
          assertThat(accepted.getInputStream().read()).isEqualTo(-1);
          assertThat(call(held.fork())).isEqualTo("-1");
        }
      }
    }
  }

  @Test
  void unixConnectionIsRefusedUnlessClosed() throws Exception {
    Path path = directory.resolve("peer.sock");
    try (ServerSocketChannel peer = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      peer.bind(UnixDomainSocketAddress.of(path));
      // The kernel knows the peer of a connection once it has been accepted.
      Thread accepting = new Thread(() -> acceptAll(peer));
      accepting.start();
      refused("unix", path.toString(), "")
          .hasMessageContaining("is a Unix socket without a name that is connected to " + path)
          .hasMessageContaining("'type: socket; remotePath: " + path + "; action: close'");
      String rule = "type: socket\nfamily: unix\nremotePath: **/peer.sock\naction: close";
      try (Held held = hold("unix", path.toString(), rule)) {
        assertThat(call(held.fork())).isEqualTo("-1");
      }
    }
  }

  private static void acceptAll(ServerSocketChannel peer) {
    try {
      while (true) {
        peer.accept();
      }
    } catch (IOException e) {
      // It has been closed.
      return;
    }
  }

  @Test
  void listenerIsRefusedUnlessInherited() throws Exception {
    refused("listener", "", "").hasMessageContaining("is a TCP socket that listens on 127.0.0.1:");
    for (String action : List.of("inherit", "reopen")) {
      try (Held held = hold("listener", "", "type: socket\nlocalPort: *\naction: " + action)) {
        assertThat(call(held.fork())).isEqualTo("accepted");
        assertThat(call(held.fork())).isEqualTo("accepted");
      }
    }
  }

  @Test
  void datagramSocketMayBeShared() throws Exception {
    try (DatagramSocket peer =
        new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
      String port = Integer.toString(peer.getLocalPort());
      refused("datagrams", port, "").hasMessageContaining("is a UDP socket");
      try (Held held = hold("datagrams", port, "type: socket\nfamily: ip\naction: inherit")) {
        for (int i = 0; i < 2; i++) {
          assertThat(call(held.fork())).isEqualTo("sent");
          peer.receive(new DatagramPacket(new byte[16], 16));
        }
      }
    }
  }

  @Test
  void sharedMemoryIsRefused() throws Exception {
    Path file = directory.resolve("shared");
    refused("mapping", file.toString(), "")
        .hasMessageContaining("Writable shared memory at 0x")
        .hasMessageContaining("(" + file + ")")
        .hasMessageContaining("Map it privately");
  }

  @Test
  void refusalTellsWhoOpenedIt() throws Exception {
    try (ServerSocket peer = new ServerSocket(0, 8, InetAddress.getLoopbackAddress())) {
      FunctionSpec spec = spec("connection", Integer.toString(peer.getLocalPort()));
      DescriptorOptions tracked = new DescriptorOptions(DescriptorPolicy.NONE, true);
      assertThatThrownBy(() -> build(spec.with(tracked)))
          .isInstanceOf(BuildException.class)
          .hasMessageContaining("It was opened by thread 'main'")
          .hasMessageContaining("at java.base/java.net.Socket.<init>")
          .hasMessageContaining(Holding.class.getName() + ".connection(Holding.java:")
          .hasMessageNotContaining("--agent trackDescriptors");
    }
    makeLarge();
    FunctionSpec file = spec("removed", lines().toString());
    assertThatThrownBy(() -> build(file.with(new DescriptorOptions(DescriptorPolicy.NONE, true))))
        .hasMessageContaining("It was opened by thread 'main' as " + lines())
        .hasMessageContaining("java.io.RandomAccessFile.<init>")
        .hasMessageContaining(Holding.class.getName() + ".file(");
  }

  private Path lines() throws Exception {
    Path file = directory.resolve("lines");
    if (!Files.exists(file)) {
      Files.writeString(file, "first\nsecond\nthird\n");
    }
    return file;
  }

  private org.assertj.core.api.AbstractThrowableAssert<?, ?> refused(
      String what, String at, String policy) {
    return assertThatThrownBy(() -> hold(what, at, policy).close())
        .isInstanceOf(BuildException.class);
  }

  private FunctionSpec spec(String what, String at) throws Exception {
    return TestFunction.withJna(directory, Holding.class, Map.of("HOLDS", what, "AT", at));
  }

  private Held hold(String what, String at, String policy) throws Exception {
    return build(spec(what, at).with(new DescriptorOptions(DescriptorPolicy.parse(policy), false)));
  }

  private Held build(FunctionSpec spec) throws Exception {
    LocalZygoteHost host =
        new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE, QUICK);
    try {
      return new Held(host, host.build(spec, Warmup.NONE, CALL, (stage, done, total) -> {}));
    } catch (Exception e) {
      host.close();
      throw e;
    }
  }

  /** A zygote with its host, which ends its clones too. */
  private record Held(LocalZygoteHost host, Zygote zygote) implements AutoCloseable {
    FunctionJvm fork() throws Exception {
      return zygote.fork();
    }

    @Override
    public void close() {
      host.close();
    }
  }

  private static String call(FunctionJvm clone) throws Exception {
    byte[] payload = "\"input\"".getBytes(StandardCharsets.UTF_8);
    Reply reply = clone.invoke(new Invocation("call", Map.of(), payload), CALL);
    if (reply instanceof Reply.Fault fault) {
      return fault.failure().summary();
    }
    String text = new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8);
    return text.replace("\"", "");
  }
}
