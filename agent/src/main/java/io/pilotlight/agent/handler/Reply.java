package io.pilotlight.agent.handler;

import io.pilotlight.agent.wire.FrameCodec;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;

/**
 * The answer to one call at a time, gathered behind room for the frame's prefix, so that the whole
 * frame leaves in one write without having been copied. Reused by all calls.
 */
public final class Reply {
  /** The largest answer that fits into a frame. */
  public static final int MAX_PAYLOAD_BYTES =
      FrameCodec.MAX_BODY_BYTES - (FrameCodec.RESULT_PREFIX_BYTES - FrameCodec.HEADER_BYTES);

  private static final int INITIAL_BYTES = 8 << 10;
  private static final int KEPT_BYTES = 1 << 20;

  private byte[] frame = new byte[INITIAL_BYTES];
  private int end = FrameCodec.RESULT_PREFIX_BYTES;
  private boolean overflowed;
  private long enteredNanos;
  private long finishedNanos;

  /** Creates an empty one. */
  public Reply() {}

  /** Forgets the last call. */
  public void clear() {
    if (frame.length > KEPT_BYTES) {
      frame = new byte[INITIAL_BYTES];
    }
    end = FrameCodec.RESULT_PREFIX_BYTES;
    overflowed = false;
    enteredNanos = 0;
    finishedNanos = 0;
  }

  /** The handler is about to be called. */
  void entered(long nanos) {
    enteredNanos = nanos;
  }

  /** The handler has returned or thrown. */
  void finished(long nanos) {
    finishedNanos = nanos;
  }

  /** When the handler was called; 0 if it was not. */
  public long enteredNanos() {
    return enteredNanos;
  }

  /** When the handler returned or threw; 0 if it was not called. */
  public long finishedNanos() {
    return finishedNanos;
  }

  /** True once more was written than fits. */
  boolean overflowed() {
    return overflowed;
  }

  /** A stream that adds to the answer until it is closed. */
  Body open() {
    return new Body(this);
  }

  /**
   * Completes the frame; it is in {@link #frame()} up to {@link #frameLength()}.
   *
   * @param hooks whether there are shutdown hooks
   */
  public void complete(boolean hooks) {
    FrameCodec.putResultPrefix(
        frame, enteredNanos, finishedNanos, hooks, end - FrameCodec.RESULT_PREFIX_BYTES);
  }

  /** The array that holds the frame; valid until the next change. */
  public byte[] frame() {
    return frame;
  }

  /** Length of the frame. */
  public int frameLength() {
    return end;
  }

  private void reserve(int bytes) throws IOException {
    if (bytes > FrameCodec.RESULT_PREFIX_BYTES + MAX_PAYLOAD_BYTES - end) {
      overflowed = true;
      throw new IOException("the answer is larger than " + MAX_PAYLOAD_BYTES + " bytes");
    }
    if (bytes > frame.length - end) {
      frame = Arrays.copyOf(frame, Math.max(end + bytes, frame.length * 2));
    }
  }

  /**
   * One call's way to the answer. A handler may keep the stream it was given and write to it when
   * the reply already belongs to the next call; that write fails.
   */
  static final class Body extends OutputStream {
    private final Reply reply;
    private boolean closed;

    private Body(Reply reply) {
      this.reply = reply;
    }

    @Override
    public void write(int b) throws IOException {
      checkOpen();
      reply.reserve(1);
      reply.frame[reply.end++] = (byte) b;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, bytes.length);
      checkOpen();
      reply.reserve(length);
      System.arraycopy(bytes, offset, reply.frame, reply.end, length);
      reply.end += length;
    }

    @Override
    public void close() {
      closed = true;
    }

    private void checkOpen() throws IOException {
      if (closed) {
        throw new IOException("the answer's stream is closed");
      }
    }
  }
}
