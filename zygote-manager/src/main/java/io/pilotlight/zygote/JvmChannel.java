package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.agent.wire.WireException;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Sockets;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Frames to and from one JVM. Used by one thread at a time; each thread brings a direct buffer of
 * its own, which it may use for all its channels.
 */
final class JvmChannel implements AutoCloseable {
  /** A sensible size of a thread's buffer: most frames fit. */
  static final int BUFFER_BYTES = 16_384;

  /** The first bytes of a buffer are poll(2)'s; frames begin behind them. */
  private static final int POLL_BYTES = 8;

  /** How much memory a frame's announced length is believed for; more than most frames have. */
  private static final int TRUSTED_BYTES = 65_536;

  private static final long MAX_POLL_MILLIS = TimeUnit.HOURS.toMillis(1);

  private final Fd socket;
  private final LongSupplier nanoTime;
  private boolean used;
  private boolean closed;

  /** Owns a socket that does not block. */
  JvmChannel(Fd socket, LongSupplier nanoTime) {
    this.socket = socket;
    this.nanoTime = nanoTime;
  }

  /** The deadline has passed. */
  static final class DeadlineException extends Exception {
    private static final long serialVersionUID = 1L;

    DeadlineException() {
      super("deadline passed", null, false, false);
    }
  }

  /**
   * Sends bytes, as many at once as fit.
   *
   * @param deadlineNanos on the clock of this channel
   * @throws KernelException if the JVM does not read any more: it got at most a part
   */
  void send(ByteBuffer direct, long deadlineNanos, ByteBuffer... parts)
      throws KernelException, DeadlineException {
    ByteBuffer room = direct.duplicate().clear().position(POLL_BYTES);
    for (ByteBuffer part : parts) {
      while (part.hasRemaining()) {
        int bytes = Math.min(part.remaining(), room.remaining());
        room.put(part.slice().limit(bytes));
        part.position(part.position() + bytes);
        if (!room.hasRemaining()) {
          flush(direct, room.flip().position(POLL_BYTES), deadlineNanos);
          room.clear().position(POLL_BYTES);
        }
      }
    }
    flush(direct, room.flip().position(POLL_BYTES), deadlineNanos);
  }

  private void flush(ByteBuffer direct, ByteBuffer bytes, long deadlineNanos)
      throws KernelException, DeadlineException {
    while (bytes.hasRemaining()) {
      if (Sockets.write(socket, bytes) == Sockets.WOULD_BLOCK) {
        await(direct, Sockets.POLLOUT, deadlineNanos);
      }
    }
  }

  /**
   * Receives one frame.
   *
   * @throws EOFException if the JVM closed the channel: it has ended, or is ending
   * @throws WireException if what came is no frame, or more than one
   * @throws IOException if the channel broke
   */
  Frame receive(ByteBuffer direct, long deadlineNanos) throws IOException, DeadlineException {
    ByteBuffer in = direct.duplicate().clear().position(POLL_BYTES);
    int start = in.position();
    while (in.position() - start < FrameCodec.HEADER_BYTES) {
      fill(direct, in, deadlineNanos);
    }
    int length = FrameCodec.bodyLength(direct.duplicate().clear().position(start));
    byte type = direct.get(start + Integer.BYTES);
    in.flip().position(start + FrameCodec.HEADER_BYTES);
    if (in.remaining() > length) {
      throw new WireException(in.remaining() - length + " bytes behind a frame");
    }
    // What is announced takes no memory before it comes: the JVM may be a hostile function's.
    ByteBuffer body = ByteBuffer.allocate(Math.min(length, TRUSTED_BYTES)).put(in);
    while (body.position() < length) {
      if (!body.hasRemaining()) {
        int grown = (int) Math.min(length, 2L * body.capacity());
        body = ByteBuffer.allocate(grown).put(body.flip());
      }
      in.clear().position(POLL_BYTES);
      in.limit(Math.min(in.capacity(), POLL_BYTES + body.remaining()));
      fill(direct, in, deadlineNanos);
      body.put(in.flip().position(POLL_BYTES));
    }
    return FrameCodec.decode(type, body.flip());
  }

  private void fill(ByteBuffer direct, ByteBuffer in, long deadlineNanos)
      throws IOException, DeadlineException {
    await(direct, Sockets.POLLIN, deadlineNanos);
    if (Sockets.read(socket, in) == 0) {
      throw new EOFException("the JVM closed its channel");
    }
  }

  private void await(ByteBuffer direct, short events, long deadlineNanos)
      throws KernelException, DeadlineException {
    while (true) {
      long left = deadlineNanos - nanoTime.getAsLong();
      if (left <= 0) {
        throw new DeadlineException();
      }
      long millis = Math.min(MAX_POLL_MILLIS, TimeUnit.NANOSECONDS.toMillis(left) + 1);
      if (Sockets.poll(socket, events, (int) millis, direct)) {
        return;
      }
    }
  }

  /**
   * Claims the channel, so that its descriptor's number cannot become another's while it is in use.
   * Until {@link #release} what the JVM has sent can be read, even if the JVM has ended.
   *
   * @return false if it is closed
   */
  synchronized boolean claim() {
    if (closed) {
      return false;
    }
    used = true;
    return true;
  }

  /** Ends {@link #claim}. */
  synchronized void release() {
    used = false;
    if (closed) {
      socket.close();
    }
  }

  /** Closes it now, or as soon as it is not in use any more. */
  @Override
  public synchronized void close() {
    closed = true;
    if (!used) {
      socket.close();
    }
  }
}
