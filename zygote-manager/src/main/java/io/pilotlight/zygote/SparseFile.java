package io.pilotlight.zygote;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Writes a file whose pages of zeros take no room on the disk. */
final class SparseFile {
  private static final int PAGE = 4096;
  private static final int BUFFER_PAGES = 64;
  private static final byte[] ZEROS = new byte[PAGE];

  private SparseFile() {}

  /**
   * Writes all that is left of a stream.
   *
   * @param out an empty file
   */
  static void write(InputStream in, FileChannel out) throws IOException {
    byte[] buffer = new byte[BUFFER_PAGES * PAGE];
    long end = 0;
    for (int read = in.readNBytes(buffer, 0, buffer.length);
        read > 0;
        read = in.readNBytes(buffer, 0, buffer.length)) {
      writePages(ByteBuffer.wrap(buffer, 0, read), out, end);
      end += read;
    }
    if (out.size() < end) {
      out.write(ByteBuffer.allocate(1), end - 1);
    }
  }

  private static void writePages(ByteBuffer bytes, FileChannel out, long start) throws IOException {
    for (int page = 0; page < bytes.limit(); page += PAGE) {
      int length = Math.min(PAGE, bytes.limit() - page);
      ByteBuffer content = bytes.slice(page, length);
      if (!content.equals(ByteBuffer.wrap(ZEROS, 0, length))) {
        for (long at = start + page; content.hasRemaining(); ) {
          at += out.write(content, at);
        }
      }
    }
  }
}
