package io.pilotlight.agent.identity;

import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Fresh bytes from the kernel. The descriptor is opened in the zygote: it leads to a device that
 * has no offset, so clones may share it, and a clone saves the opening.
 */
final class Entropy implements AutoCloseable {
  /** What the JDK reads by way of its stack, without {@code malloc}. */
  private static final int BUFFER_BYTES = 2048;

  private final InputStream source;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private int used = BUFFER_BYTES;

  Entropy(InputStream source) {
    this.source = source;
  }

  static Entropy ofKernel() throws IOException {
    return new Entropy(new FileInputStream("/dev/urandom"));
  }

  /** Forgets what was read before: a clone has that in common with its zygote. */
  void discard() {
    used = BUFFER_BYTES;
  }

  /** Fills {@code target} with bytes that nothing else was given. */
  void fill(byte[] target) throws IOException {
    for (int i = 0; i < target.length; i++) {
      target[i] = next();
    }
  }

  /** A number that nothing else was given. */
  long nextLong() throws IOException {
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      value = (value << Byte.SIZE) | (next() & 0xff);
    }
    return value;
  }

  private byte next() throws IOException {
    if (used == BUFFER_BYTES) {
      int filled = 0;
      while (filled < BUFFER_BYTES) {
        int read = source.read(buffer, filled, BUFFER_BYTES - filled);
        if (read < 0) {
          throw new EOFException("/dev/urandom has ended after " + filled + " bytes");
        }
        filled += read;
      }
      used = 0;
    }
    byte value = buffer[used];
    // What a generator was seeded with is not left behind in memory.
    buffer[used++] = 0;
    return value;
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
