package io.pilotlight.zygote;

import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a JVM writes to stdout and stderr. A pipe that nobody reads would stop it, so it is read as
 * it comes; the last part is kept. Thread-safe.
 */
final class JvmOutput implements AutoCloseable {
  /** How much is kept. */
  static final int KEPT_BYTES = 65_536;

  /**
   * How much one round of the event loop takes, so that a JVM that never stops writing does not
   * keep the loop.
   */
  private static final int ROUND_BYTES = 1 << 20;

  private final Fd pipe;
  private final HostServices services;
  private EventLoop.@Nullable Watch watch;
  private byte[] kept = new byte[0];
  private long total;
  private long mark;

  /**
   * Owns the reading end of a pipe, which must not block. What comes stays in the pipe until {@link
   * #watch}.
   */
  JvmOutput(Fd pipe, HostServices services) {
    this.pipe = pipe;
    this.services = services;
  }

  /**
   * Reads from now on what comes. Apart from the constructor since a clone is asked for in between,
   * and need not wait for this.
   */
  synchronized void watch() throws KernelException {
    if (pipe.open()) {
      watch = services.loop().watch(pipe, this::drain);
    }
  }

  /** Reads what is there. */
  private synchronized void drain() {
    if (!pipe.open()) {
      return;
    }
    ByteBuffer chunk = services.buffer();
    try {
      for (int read = 0; read < ROUND_BYTES; ) {
        chunk.clear();
        int bytes = Sockets.read(pipe, chunk);
        if (bytes == Sockets.WOULD_BLOCK) {
          return;
        }
        if (bytes == 0) {
          close();
          return;
        }
        append(chunk.flip());
        read += bytes;
      }
    } catch (KernelException e) {
      close();
    }
  }

  /**
   * {@code kept} is used as a ring once it has its full size: the byte number n lies at n modulo
   * that.
   */
  private void append(ByteBuffer chunk) {
    while (chunk.hasRemaining()) {
      int at = (int) (total % KEPT_BYTES);
      int bytes = Math.min(chunk.remaining(), KEPT_BYTES - at);
      if (kept.length < at + bytes) {
        kept = Arrays.copyOf(kept, Math.min(KEPT_BYTES, Math.max(4096, 2 * (at + bytes))));
      }
      chunk.get(kept, at, bytes);
      total += bytes;
    }
  }

  synchronized String tail(int maxBytes) {
    drain();
    return since(0, maxBytes);
  }

  synchronized void mark() {
    mark = total;
  }

  synchronized String sinceMark(int maxBytes) {
    drain();
    return since(mark, maxBytes);
  }

  private String since(long from, int maxBytes) {
    long first = Math.max(from, total - Math.min(maxBytes, KEPT_BYTES));
    byte[] bytes = new byte[(int) (total - first)];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = kept[(int) ((first + i) % KEPT_BYTES)];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Takes what is still in the pipe, and lets it go. */
  synchronized void finish() {
    drain();
    close();
  }

  @Override
  public synchronized void close() {
    if (watch != null) {
      watch.cancel();
    }
    pipe.close();
  }
}
