package io.pilotlight.recorder;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Reads from /proc/PID/pagemap what a clone has touched since it was forked; see pagemap.rst of the
 * kernel's documentation. Needs no soft-dirty bits and no idle-page tracking, which many kernels
 * lack: that a page is mapped by one process only is enough. Stateless and thread-safe.
 */
public final class PageMap {
  private static final long PRESENT = 1L << 63;
  private static final long FILE_OR_SHARED = 1L << 61;
  private static final long MAPPED_ONCE = 1L << 56;
  private static final int ENTRY_BYTES = Long.BYTES;
  private static final int BUFFER_BYTES = 64 << 10;

  private PageMap() {}

  /**
   * What a clone has touched.
   *
   * @param pid a clone that was forked from a process that still lives
   * @param regions in ascending order, as the process had them that it was forked from; what the
   *     clone has mapped since is no part of them
   * @throws IOException if the process has ended, or is not ours to look at
   */
  public static Recording touched(int pid, List<MemoryRegion> regions) throws IOException {
    PageSet.Builder written = new PageSet.Builder();
    PageSet.Builder file = new PageSet.Builder();
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
    try (FileChannel pagemap =
        FileChannel.open(
            Path.of("/proc", Integer.toString(pid), "pagemap"), StandardOpenOption.READ)) {
      for (MemoryRegion region : regions) {
        boolean writable = region.kind() == MemoryRegion.Kind.WRITABLE;
        PageSet pages = touched(pagemap, region, buffer);
        pages.forEachRun(writable ? written::add : file::add);
      }
    }
    return new Recording(written.build(), file.build());
  }

  private static PageSet touched(FileChannel pagemap, MemoryRegion region, ByteBuffer buffer)
      throws IOException {
    boolean writable = region.kind() == MemoryRegion.Kind.WRITABLE;
    PageSet.Builder found = new PageSet.Builder();
    long address = region.start();
    while (address < region.end()) {
      long entries = (region.end() - address) / PageSet.PAGE_BYTES;
      buffer.clear().limit((int) Math.min(BUFFER_BYTES, entries * ENTRY_BYTES));
      int read = pagemap.read(buffer, address / PageSet.PAGE_BYTES * ENTRY_BYTES);
      if (read < ENTRY_BYTES) {
        throw new EOFException("the process has ended");
      }
      for (int at = 0; at + ENTRY_BYTES <= read; at += ENTRY_BYTES) {
        long entry = buffer.getLong(at);
        if (writable ? isOwn(entry) : isFilePage(entry)) {
          found.add(address, address + PageSet.PAGE_BYTES);
        } else if (!writable && (entry & PRESENT) != 0) {
          // Has pages of its own, so that fork copied its entries: they tell nothing.
          return PageSet.empty();
        }
        address += PageSet.PAGE_BYTES;
      }
    }
    return found.build();
  }

  private static boolean isOwn(long entry) {
    return (entry & (PRESENT | MAPPED_ONCE | FILE_OR_SHARED)) == (PRESENT | MAPPED_ONCE);
  }

  private static boolean isFilePage(long entry) {
    return (entry & (PRESENT | FILE_OR_SHARED)) == (PRESENT | FILE_OR_SHARED);
  }
}
