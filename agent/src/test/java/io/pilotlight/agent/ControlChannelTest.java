package io.pilotlight.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ControlChannelTest {
  private static final Frame SMALL = new Frame.Renew("clone-1");

  /** Gives at most {@code limit} bytes at a time and notes how many were asked for. */
  private static final class Dripping extends InputStream {
    private final ByteArrayInputStream in;
    private final int limit;
    private final List<Integer> asked = new ArrayList<>();

    Dripping(byte[] bytes, int limit) {
      this.in = new ByteArrayInputStream(bytes);
      this.limit = limit;
    }

    @Override
    public int read() {
      return in.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      asked.add(length);
      return in.read(bytes, offset, Math.min(limit, length));
    }
  }

  /** Notes the size of each write. */
  private static final class Noting extends ByteArrayOutputStream {
    private final List<Integer> writes = new ArrayList<>();

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      writes.add(length);
      super.write(bytes, offset, length);
    }
  }

  private static byte[] encoded(Frame... frames) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ControlChannel channel = new ControlChannel(InputStream.nullInputStream(), bytes);
    for (Frame frame : frames) {
      channel.write(frame);
    }
    return bytes.toByteArray();
  }

  private static Frame.Invoke invoke(int payloadBytes, int attributeChars) {
    byte[] payload = new byte[payloadBytes];
    new Random(payloadBytes).nextBytes(payload);
    return new Frame.Invoke("request", 5, Map.of("key", "v".repeat(attributeChars)), payload);
  }

  private static void assertSame(Frame read, Frame expected) {
    assertThat(read).hasSameClassAs(expected);
    assertThat(FrameCodec.encode(read)).isEqualTo(FrameCodec.encode(expected));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 4096, 8192, Integer.MAX_VALUE})
  void framesAreReadHoweverTheyArrive(int bytesAtATime) throws IOException {
    Frame[] frames = {
      SMALL,
      invoke(0, 0),
      invoke(8100, 0),
      invoke(8187 - 48, 0),
      invoke(8192, 0),
      SMALL,
      invoke(100_000, 10),
      invoke(100_000, 20_000),
      invoke(10, 20_000),
      SMALL,
      new Frame.Result(1, 2, false, new byte[50_000]),
      new Frame.Stop()
    };
    ControlChannel channel =
        new ControlChannel(
            new Dripping(encoded(frames), bytesAtATime), OutputStream.nullOutputStream());
    for (Frame frame : frames) {
      assertSame(channel.read(), frame);
    }
    assertThat(channel.read()).isNull();
  }

  @Test
  void everySizeAroundTheBufferIsRead() throws IOException {
    for (int size = 8100; size < 8250; size++) {
      Frame.Invoke frame = invoke(size, 3);
      ControlChannel channel =
          new ControlChannel(
              new ByteArrayInputStream(encoded(SMALL, frame, SMALL)),
              OutputStream.nullOutputStream());
      assertThat(channel.read()).isEqualTo(SMALL);
      assertSame(channel.read(), frame);
      assertThat(channel.read()).isEqualTo(SMALL);
    }
  }

  @Test
  void aStreamThatEndsAnywhereMeansThatThePeerIsGone() throws IOException {
    byte[] bytes = encoded(invoke(20, 3));
    for (int length = 0; length < bytes.length; length++) {
      InputStream cut = new ByteArrayInputStream(Arrays.copyOf(bytes, length));
      assertThat(new ControlChannel(cut, OutputStream.nullOutputStream()).read()).isNull();
    }
    byte[] large = encoded(invoke(20_000, 3));
    for (int length : new int[] {5, 100, 8191, 8192, 8193, large.length - 1}) {
      InputStream cut = new ByteArrayInputStream(Arrays.copyOf(large, length));
      assertThat(new ControlChannel(cut, OutputStream.nullOutputStream()).read()).isNull();
    }
  }

  @Test
  void aSmallFrameTakesOneReadThatTheJdkServesFromItsStack() throws IOException {
    Dripping in = new Dripping(encoded(invoke(500, 10)), Integer.MAX_VALUE);
    new ControlChannel(in, OutputStream.nullOutputStream()).read();
    assertThat(in.asked).containsExactly(8192);
  }

  @Test
  void aFrameLeavesInOneWriteUnlessItIsLarge() throws IOException {
    Noting out = new Noting();
    ControlChannel channel = new ControlChannel(InputStream.nullInputStream(), out);
    channel.write(new Frame.Result(1, 2, false, new byte[20_000]));
    assertThat(out.writes).hasSize(1);
    channel.write(new Frame.Result(1, 2, false, new byte[5 << 20]));
    assertThat(out.writes.subList(1, out.writes.size())).allMatch(size -> size <= 64 << 10);
  }
}
