package io.pilotlight.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.agent.wire.WireException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/**
 * The agent reads the same frames however its stream is cut into pieces. An input is the number of
 * bytes that come at a time, and the stream.
 */
@Timeout(60)
final class ControlChannelFuzzTest {
  private static final String REFUSED = "refused";
  private static final String ENDED = "ended";
  private static final String CUT = "cut";

  @FuzzTest
  void framesAreReadHoweverTheyArrive(byte[] input) throws IOException {
    if (input.length == 0) {
      return;
    }
    int bytesAtATime = 1 + (input[0] & 0xff) * (input[0] & 0xff);
    InputStream stream =
        new ByteArrayInputStream(input, 1, input.length - 1) {
          @Override
          public synchronized int read(byte[] bytes, int offset, int length) {
            return super.read(bytes, offset, Math.min(length, bytesAtATime));
          }
        };
    List<String> expected = framesOf(ByteBuffer.wrap(input, 1, input.length - 1));
    List<String> read = framesFrom(new ControlChannel(stream, OutputStream.nullOutputStream()));
    int last = expected.size() - 1;
    if (expected.get(last).equals(CUT)) {
      // A frame that is not whole may be refused already for its beginning.
      assertThat(read).hasSameSizeAs(expected);
      assertThat(read.subList(0, last)).isEqualTo(expected.subList(0, last));
      assertThat(read.get(last)).isIn(ENDED, REFUSED);
    } else {
      assertThat(read).isEqualTo(expected);
    }
  }

  private static List<String> framesFrom(ControlChannel channel) throws IOException {
    List<String> frames = new ArrayList<>();
    try {
      for (Frame frame = channel.read(); frame != null; frame = channel.read()) {
        frames.add(text(frame));
      }
      frames.add(ENDED);
    } catch (WireException e) {
      frames.add(REFUSED);
    }
    return frames;
  }

  /** The same, of a stream that is there as a whole. */
  private static List<String> framesOf(ByteBuffer stream) {
    List<String> frames = new ArrayList<>();
    try {
      while (stream.remaining() >= FrameCodec.HEADER_BYTES) {
        int length = FrameCodec.bodyLength(stream);
        if (stream.remaining() < FrameCodec.HEADER_BYTES + length) {
          frames.add(CUT);
          return frames;
        }
        byte type = stream.get(stream.position() + Integer.BYTES);
        int start = stream.position() + FrameCodec.HEADER_BYTES;
        frames.add(text(FrameCodec.decode(type, stream.slice(start, length))));
        stream.position(start + length);
      }
      frames.add(ENDED);
    } catch (WireException e) {
      frames.add(REFUSED);
    }
    return frames;
  }

  private static String text(Frame frame) {
    if (frame instanceof Frame.Invoke invoke) {
      return invoke.requestId()
          + invoke.deadlineEpochMillis()
          + invoke.attributes()
          + ByteBuffer.wrap(invoke.payload()).hashCode();
    }
    return frame instanceof Frame.Result result
        ? "" + result.enteredNanos() + ByteBuffer.wrap(result.payload()).hashCode()
        : frame.toString();
  }
}
