package io.pilotlight.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the real kernel. */
final class SocketsTest {
  @TempDir Path directory;

  @Test
  void bytesTravelAndTheEndIsSeen() throws Exception {
    try (Sockets.Pair pair = Sockets.streamPair()) {
      ByteBuffer in = ByteBuffer.allocateDirect(16);
      assertThat(Sockets.read(pair.first(), in)).isEqualTo(Sockets.WOULD_BLOCK);
      Sockets.write(pair.second(), ByteBuffer.allocateDirect(3));
      assertThat(Sockets.poll(pair.first(), Sockets.POLLIN, 0, ByteBuffer.allocateDirect(8)))
          .isTrue();
      assertThat(Sockets.read(pair.first(), in)).isEqualTo(3);
      assertThat(Sockets.hungUp(pair.first())).isFalse();
      pair.second().close();
      assertThat(Sockets.hungUp(pair.first())).isTrue();
      assertThat(Sockets.read(pair.first(), in)).isZero();
      assertThatThrownBy(() -> Sockets.write(pair.first(), ByteBuffer.allocateDirect(1)))
          .hasMessageContaining("EPIPE");
    }
  }

  @Test
  void directoryOfASocketMayHaveALongName() throws Exception {
    Path deep =
        Files.createDirectories(directory.resolve("d".repeat(120)).resolve("e".repeat(120)));
    try (Fd listener = Sockets.listen(deep, "z.sock");
        Fd client = Sockets.connect(deep, "z.sock")) {
      assertThat(listener.open()).isTrue();
      assertThat(client.open()).isTrue();
      assertThat(deep.resolve("z.sock")).exists();
    }
  }

  @Test
  void nobodyListeningIsNamed() {
    assertThatThrownBy(() -> Sockets.connect(directory, "none.sock"))
        .hasMessageContaining("none.sock")
        .hasMessageContaining("ENOENT");
  }

  @Test
  void closedDescriptorIsNotUsed() throws Exception {
    Sockets.Pair pair = Sockets.streamPair();
    Fd moved = pair.first().move();
    assertThat(pair.first().open()).isFalse();
    pair.close();
    assertThat(moved.open()).isTrue();
    moved.close();
    moved.close();
    assertThatThrownBy(moved::number).isInstanceOf(IllegalStateException.class);
  }
}
