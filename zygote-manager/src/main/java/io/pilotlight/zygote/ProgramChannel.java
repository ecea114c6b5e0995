package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frames to and from a program, which sends when it likes to: unlike a function's JVM, which only
 * answers. Frames are received on the event loop. Thread-safe.
 */
final class ProgramChannel implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProgramChannel.class);

  /** More than a program has to say. */
  private static final int BUFFER_BYTES = 256 << 10;

  /** How long a program may take to read what it is sent. */
  private static final int SEND_MILLIS = 10_000;

  private static final int POLL_BYTES = 8;

  private final Fd socket;
  private final Consumer<Frame> receiver;
  private final EventLoop.Watch watch;
  private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES);

  /**
   * Receives from now on.
   *
   * @param socket does not block; owned from now on
   * @param receiver gets each frame, on the event loop
   */
  ProgramChannel(Fd socket, EventLoop loop, Consumer<Frame> receiver) throws KernelException {
    this.socket = socket;
    this.receiver = receiver;
    this.watch = loop.watch(socket, this::receive);
  }

  private void receive() {
    List<Frame> frames = new ArrayList<>();
    try {
      synchronized (this) {
        if (!socket.open()) {
          return;
        }
        int bytes = Sockets.read(socket, in);
        if (bytes == 0) {
          watch.cancel();
          return;
        }
        take(frames);
      }
    } catch (IOException e) {
      LOG.warn("a program's channel is broken; it can make no checkpoints any more", e);
      watch.cancel();
    }
    frames.forEach(receiver);
  }

  private void take(List<Frame> frames) throws IOException {
    in.flip();
    while (in.remaining() >= FrameCodec.HEADER_BYTES) {
      int length = FrameCodec.bodyLength(in);
      if (length > BUFFER_BYTES - FrameCodec.HEADER_BYTES) {
        throw new IOException("frame of " + length + " bytes");
      }
      if (in.remaining() < FrameCodec.HEADER_BYTES + length) {
        break;
      }
      byte type = in.get(in.position() + Integer.BYTES);
      int start = in.position() + FrameCodec.HEADER_BYTES;
      frames.add(FrameCodec.decode(type, in.slice(start, length)));
      in.position(start + length);
    }
    in.compact();
  }

  /** Sends a frame. */
  void send(Frame frame) throws IOException {
    send(FrameCodec.encode(frame));
  }

  /**
   * Sends bytes.
   *
   * @throws IOException if the program is gone, or does not read
   */
  synchronized void send(ByteBuffer bytes) throws IOException {
    ByteBuffer direct = ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
    ByteBuffer scratch = ByteBuffer.allocateDirect(POLL_BYTES);
    while (direct.hasRemaining()) {
      if (Sockets.write(socket, direct) == Sockets.WOULD_BLOCK
          && !Sockets.poll(socket, Sockets.POLLOUT, SEND_MILLIS, scratch)) {
        throw new IOException(
            "the program has not read what it was sent for " + SEND_MILLIS / 1000 + " s");
      }
    }
  }

  @Override
  public synchronized void close() {
    watch.cancel();
    socket.close();
  }
}
