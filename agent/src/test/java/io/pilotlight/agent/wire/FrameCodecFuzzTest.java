package io.pilotlight.agent.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Timeout;

/** A body is a frame or a {@link WireException}; an input is the type's byte and the body. */
@Timeout(60)
final class FrameCodecFuzzTest {
  /**
   * An object for each byte, and more: no length that is only announced is ever made room for, and
   * that would be millions.
   */
  private static final int MAX_BYTES_PER_BYTE = 200;

  private static final int OTHER_BYTES = 1 << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @FuzzTest
  void bodyIsAFrameOrRefused(byte[] input) throws WireException {
    if (input.length == 0) {
      return;
    }
    ByteBuffer body = ByteBuffer.wrap(input, 1, input.length - 1).slice();
    Frame frame = decoded(input[0], body.duplicate()); // once: what it loads is not counted
    long before = THREADS.getCurrentThreadAllocatedBytes();
    decoded(input[0], body.duplicate());
    long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
    assertThat(allocated).isLessThan(OTHER_BYTES + (long) MAX_BYTES_PER_BYTE * input.length);
    headIsTheSame(input[0], body, frame);
    if (frame != null) {
      ByteBuffer encoded = FrameCodec.encode(frame);
      assertThat(encoded.get(Integer.BYTES)).isEqualTo(input[0]);
      int length = FrameCodec.bodyLength(encoded);
      ByteBuffer again = encoded.slice(FrameCodec.HEADER_BYTES, length);
      assertSame(FrameCodec.decode(input[0], again), frame);
      again.rewind();
      ByteBuffer direct = ByteBuffer.allocateDirect(length).put(again).flip();
      assertSame(FrameCodec.decode(input[0], direct), frame);
    }
  }

  private static Frame decoded(byte type, ByteBuffer body) {
    try {
      return FrameCodec.decode(type, body);
    } catch (WireException e) {
      assertThat(e.getMessage()).isNotBlank();
      return null;
    }
  }

  /** Read up to its payload, an invocation is what it is when it is read whole. */
  private static void headIsTheSame(byte type, ByteBuffer body, Frame frame) {
    if (type != FrameCodec.INVOKE_TYPE) {
      return;
    }
    ByteBuffer head = body.duplicate();
    Frame.Invoke invoke;
    try {
      invoke = FrameCodec.decodeInvokeHead(head, body.remaining());
    } catch (WireException e) {
      assertThat(frame).isNull();
      return;
    }
    assertThat(invoke == null).isEqualTo(frame == null);
    if (invoke != null) {
      head.get(invoke.payload());
      assertSame(invoke, frame);
    }
  }

  /** Records compare arrays by identity. */
  private static void assertSame(Frame read, Frame expected) {
    if (read instanceof Frame.Invoke a && expected instanceof Frame.Invoke b) {
      assertThat(a.requestId()).isEqualTo(b.requestId());
      assertThat(a.deadlineEpochMillis()).isEqualTo(b.deadlineEpochMillis());
      assertThat(a.attributes()).isEqualTo(b.attributes());
      assertThat(Arrays.equals(a.payload(), b.payload())).isTrue();
    } else if (read instanceof Frame.Result a && expected instanceof Frame.Result b) {
      assertThat(a.enteredNanos()).isEqualTo(b.enteredNanos());
      assertThat(a.finishedNanos()).isEqualTo(b.finishedNanos());
      assertThat(a.hooks()).isEqualTo(b.hooks());
      assertThat(Arrays.equals(a.payload(), b.payload())).isTrue();
    } else if (!read.equals(expected)) {
      fail("%s was written and read as %s", expected, read);
    }
  }
}
