package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.FADVISE64;
import static io.pilotlight.linux.Syscall.MINCORE;
import static io.pilotlight.linux.Syscall.MMAP;
import static io.pilotlight.linux.Syscall.MUNMAP;
import static io.pilotlight.linux.Uapi.PROT_READ;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * A file, and which of its pages the kernel holds in the page cache; see mincore(2) and
 * posix_fadvise(2). The file is mapped here but never touched through the mapping, so it may be
 * truncated or removed meanwhile. The kernel tells of files only that this process owns or may
 * write. Thread-safe.
 */
public final class CachedFile implements AutoCloseable {
  private static final int PAGE_BYTES = 4096;
  private static final int MAP_SHARED = 1;

  /** The kernel reads no more for one request than it reads ahead or the device takes at once. */
  private static final int REQUEST_BYTES = 128 << 10;

  private static final int POSIX_FADV_WILLNEED = 3;
  private static final int POSIX_FADV_DONTNEED = 4;

  private final Path path;
  private final Fd file;
  private final long bytes;
  private final long address;
  private boolean mapped = true;

  private CachedFile(Path path, Fd file, long bytes, long address) {
    this.path = path;
    this.file = file;
    this.bytes = bytes;
    this.address = address;
  }

  /** Opens a file that is not empty. */
  public static CachedFile open(Path path) throws IOException {
    long bytes = Files.size(path);
    Fd file = OpenFile.readOnly(path);
    boolean done = false;
    try {
      long address =
          Kernel.check(
              Kernel.call(MMAP, 0, bytes, PROT_READ, MAP_SHARED, file.number(), 0),
              "mmap",
              path.toString());
      done = true;
      return new CachedFile(path, file, bytes, address);
    } finally {
      if (!done) {
        file.close();
      }
    }
  }

  /** Its size. */
  public long bytes() {
    return bytes;
  }

  /** Its size in pages, the last one perhaps in part. */
  public int pages() {
    return (int) ((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
  }

  /**
   * Whether the page cache has the page at this offset; a microsecond or less.
   *
   * @return true also if the kernel does not tell; anything once this is closed
   */
  public boolean cached(long offset) {
    ByteBuffer answer = Kernel.scratch();
    long page = offset / PAGE_BYTES * PAGE_BYTES;
    long result = Kernel.call(MINCORE, address + page, PAGE_BYTES, Kernel.address(answer));
    return result < 0 || (answer.get(0) & 1) != 0;
  }

  /** Which of its pages the page cache has. */
  public synchronized BitSet cached() throws KernelException {
    BitSet found = new BitSet(pages());
    if (!mapped) {
      return found;
    }
    ByteBuffer answer = ByteBuffer.allocateDirect(pages());
    Kernel.check(
        Kernel.call(MINCORE, address, bytes, Kernel.address(answer)), "mincore", path.toString());
    for (int i = 0; i < pages(); i++) {
      found.set(i, (answer.get(i) & 1) != 0);
    }
    Reference.reachabilityFence(answer);
    return found;
  }

  /** Begins to read a part of it into the page cache, and does not wait for the end of that. */
  public void willNeed(long offset, long count) throws KernelException {
    for (long done = 0; done < count; done += REQUEST_BYTES) {
      advise(offset + done, Math.min(REQUEST_BYTES, count - done), POSIX_FADV_WILLNEED);
    }
  }

  /**
   * Lets the kernel drop what it has of it in the page cache. What was not written to disk stays,
   * and so does what any process has in its page table.
   */
  public void drop() throws KernelException {
    advise(0, 0, POSIX_FADV_DONTNEED);
  }

  private synchronized void advise(long offset, long count, int advice) throws KernelException {
    if (mapped) {
      Kernel.check(
          Kernel.call(FADVISE64, file.number(), offset, count, advice),
          "posix_fadvise",
          path.toString());
    }
  }

  @Override
  public synchronized void close() {
    if (mapped) {
      mapped = false;
      Kernel.call(MUNMAP, address, bytes);
      file.close();
    }
  }
}
