package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.Sockets;
import java.io.EOFException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class JvmChannelTest {
  private static final long NEVER = Long.MAX_VALUE;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(JvmChannel.BUFFER_BYTES);

  @Test
  void framesOfAnyLengthArrive() throws Exception {
    for (int bytes : new int[] {0, 1, 65_000, 65_536, 65_537, 1_000_000, 20 << 20}) {
      byte[] payload = new byte[bytes];
      for (int i = 0; i < bytes; i++) {
        payload[i] = (byte) (i * 31);
      }
      try (Sockets.Pair pair = Sockets.streamPair()) {
        JvmChannel channel = new JvmChannel(pair.first().move(), System::nanoTime);
        CompletableFuture<Void> sent =
            CompletableFuture.runAsync(
                () ->
                    write(pair.second(), FrameCodec.encode(new Frame.Result(7, 8, true, payload))));
        Frame frame = channel.receive(buffer, NEVER);
        sent.join();
        assertThat(((Frame.Result) frame).payload()).as(bytes + " bytes").isEqualTo(payload);
        channel.close();
      }
    }
  }

  @Test
  void anAnnouncedLengthTakesNoMemory() throws Exception {
    try (Sockets.Pair pair = Sockets.streamPair()) {
      JvmChannel channel = new JvmChannel(pair.first().move(), System::nanoTime);
      ByteBuffer head = ByteBuffer.allocate(FrameCodec.HEADER_BYTES);
      head.putInt(FrameCodec.MAX_BODY_BYTES).put((byte) 1).rewind();
      write(pair.second(), head);
      pair.second().close();
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getCurrentThreadAllocatedBytes();
      assertThatThrownBy(() -> channel.receive(buffer, NEVER)).isInstanceOf(EOFException.class);
      assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4 << 20);
      channel.close();
    }
  }

  private static void write(Fd socket, ByteBuffer bytes) {
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
    try {
      while (direct.hasRemaining()) {
        Sockets.write(socket, direct);
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
