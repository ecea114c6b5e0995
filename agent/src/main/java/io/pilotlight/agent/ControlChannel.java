package io.pilotlight.agent;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Frames over a stream, for one thread.
 *
 * <p>A read asks for at most {@value #BUFFER_BYTES} bytes, because the JDK serves that from its
 * stack and anything larger from {@code malloc}; so a small frame costs one system call and no page
 * that was not touched before. A large payload is read into its place.
 */
final class ControlChannel {
  private static final int BUFFER_BYTES = 8192;

  /** More than the JDK serves from its stack, less than glibc would map and unmap each time. */
  private static final int CHUNK_BYTES = 64 << 10;

  private final InputStream in;
  private final OutputStream out;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int start;
  private int end;

  ControlChannel(InputStream in, OutputStream out) {
    this.in = in;
    this.out = out;
  }

  /**
   * The channel that is open under a number.
   *
   * @throws ReflectiveOperationException if java.io is not open to the agent
   */
  static ControlChannel ofDescriptor(int number) throws ReflectiveOperationException {
    Constructor<FileDescriptor> constructor =
        FileDescriptor.class.getDeclaredConstructor(int.class);
    constructor.setAccessible(true);
    FileDescriptor descriptor = constructor.newInstance(number);
    return new ControlChannel(new FileInputStream(descriptor), new FileOutputStream(descriptor));
  }

  /** The next frame, or null if the peer is gone. */
  @Nullable Frame read() throws IOException {
    if (!fill(FrameCodec.HEADER_BYTES)) {
      return null;
    }
    int length = FrameCodec.bodyLength(ByteBuffer.wrap(buffer, start, FrameCodec.HEADER_BYTES));
    byte type = buffer[start + Integer.BYTES];
    if (length > BUFFER_BYTES - FrameCodec.HEADER_BYTES) {
      start += FrameCodec.HEADER_BYTES;
      return readLarge(type, length);
    }
    if (!fill(FrameCodec.HEADER_BYTES + length)) {
      return null;
    }
    ByteBuffer body = ByteBuffer.wrap(buffer, start + FrameCodec.HEADER_BYTES, length);
    start += FrameCodec.HEADER_BYTES + length;
    return FrameCodec.decode(type, body);
  }

  private @Nullable Frame readLarge(byte type, int length) throws IOException {
    if (type == FrameCodec.INVOKE_TYPE) {
      if (!fill(BUFFER_BYTES)) {
        return null;
      }
      ByteBuffer head = ByteBuffer.wrap(buffer, start, end - start);
      Frame.Invoke invoke = FrameCodec.decodeInvokeHead(head, length);
      if (invoke != null) {
        start = head.position();
        return readInto(invoke.payload()) ? invoke : null;
      }
    }
    byte[] body = new byte[length];
    return readInto(body) ? FrameCodec.decode(type, ByteBuffer.wrap(body)) : null;
  }

  /** Makes at least {@code bytes} available from {@code start}; false if the peer is gone. */
  private boolean fill(int bytes) throws IOException {
    if (start == end) {
      start = 0;
      end = 0;
    } else if (bytes > BUFFER_BYTES - start) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      end -= start;
      start = 0;
    }
    while (end - start < bytes) {
      int read = in.read(buffer, end, BUFFER_BYTES - end);
      if (read < 0) {
        return false;
      }
      end += read;
    }
    return true;
  }

  private boolean readInto(byte[] target) throws IOException {
    int filled = Math.min(end - start, target.length);
    System.arraycopy(buffer, start, target, 0, filled);
    start += filled;
    while (filled < target.length) {
      int read = in.read(target, filled, Math.min(CHUNK_BYTES, target.length - filled));
      if (read < 0) {
        return false;
      }
      filled += read;
    }
    return true;
  }

  void write(Frame frame) throws IOException {
    ByteBuffer encoded = FrameCodec.encode(frame);
    write(encoded.array(), encoded.arrayOffset(), encoded.remaining());
  }

  /** Writes a frame that is already encoded. */
  void write(byte[] frame, int length) throws IOException {
    write(frame, 0, length);
  }

  private void write(byte[] bytes, int offset, int length) throws IOException {
    int written = 0;
    while (written < length) {
      int chunk = Math.min(CHUNK_BYTES, length - written);
      out.write(bytes, offset + written, chunk);
      written += chunk;
    }
  }
}
