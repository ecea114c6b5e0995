package io.pilotlight.zygote;

import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/**
 * By what a file is known again that a JVM has mapped or opened. Its content counts too: code was
 * compiled from it, and a part of it may lie in memory already.
 *
 * @param path its absolute path
 * @param bytes its size
 * @param modifiedNanos when it was modified, since the epoch
 * @param crc32c checksum of its content
 */
record FileTraits(String path, long bytes, long modifiedNanos, String crc32c) {
  private static final int BUFFER_BYTES = 1 << 20;

  /** Of a file as it is. */
  static FileTraits of(String path) throws IOException {
    Path file = Path.of(path);
    FileTime modified = Files.getLastModifiedTime(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return new FileTraits(
          path, channel.size(), modified.to(TimeUnit.NANOSECONDS), checksum(channel));
    }
  }

  /** CRC-32C of a whole file, as eight hexadecimal digits. */
  static String checksum(FileChannel channel) throws IOException {
    CRC32C sum = new CRC32C();
    int bytes = (int) Math.max(1, Math.min(BUFFER_BYTES, channel.size()));
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
    long at = 0;
    for (int read = channel.read(buffer, at); read > 0; read = channel.read(buffer.clear(), at)) {
      at += read;
      sum.update(buffer.flip());
    }
    return String.format("%08x", sum.getValue());
  }

  /**
   * The same as {@link #require}, but the content of a file that has its size and time, and that
   * the kernel has not seen changed since its traits were taken, is not read again.
   *
   * @param taken when they were taken
   */
  void requireSince(FileTime taken) throws ImageException {
    try {
      Path file = Path.of(path);
      FileTime changed = (FileTime) Files.getAttribute(file, "unix:ctime");
      FileTime modified = Files.getLastModifiedTime(file);
      if (changed.compareTo(taken) < 0
          && Files.size(file) == bytes
          && modified.to(TimeUnit.NANOSECONDS) == modifiedNanos) {
        return;
      }
    } catch (IOException e) {
      // Said by the whole check.
    }
    require();
  }

  /** Whether the file is still what it was. */
  void require() throws ImageException {
    FileTraits now;
    try {
      now = of(path);
    } catch (NoSuchFileException e) {
      throw new ImageException(Reason.FILE, "File " + path + " is gone, which its JVM uses.", e);
    } catch (IOException | UncheckedIOException e) {
      throw new ImageException(
          Reason.FILE, "File " + path + ", which its JVM uses, cannot be read: " + e, e);
    }
    if (!equals(now)) {
      throw new ImageException(
          Reason.FILE,
          "File "
              + path
              + ", which its JVM uses, has changed: it had "
              + describe()
              + ", and has "
              + now.describe()
              + ".");
    }
  }

  private String describe() {
    return bytes + " bytes, CRC-32C " + crc32c + ", modified at " + modifiedNanos + " ns";
  }
}
