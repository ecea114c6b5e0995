package io.pilotlight.engine;

import static io.pilotlight.linux.Uapi.PROT_EXEC;
import static io.pilotlight.linux.Uapi.PROT_READ;
import static io.pilotlight.linux.Uapi.PROT_WRITE;

import io.pilotlight.engine.ImageState.Area;
import io.pilotlight.engine.ImageState.Source;
import io.pilotlight.linux.ProcFs.MappedArea;
import io.pilotlight.linux.ProcFs.Mapping;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Writes the pages of a process that does not run, and says how its memory is made of them again.
 *
 * <p>Only pages that are the process's own are written, also swapped ones; those that hold nothing
 * but zeros are not. A long gap between written pages is an area of its own, empty or mapped from
 * its file as before: what a clone writes to first, the free part of its heap, then is memory that
 * the kernel fills with zeros, and no copy. A short gap becomes a hole of the pages' file.
 *
 * <p>Used once, by one thread.
 */
final class MemoryDump implements AutoCloseable {
  private static final int PAGE = ResidentLayout.PAGE;
  private static final int CHUNK_PAGES = 256;

  /** From so many pages on a gap is an area of its own, of which each costs every fork a little. */
  private static final int GAP_PAGES = 64;

  /** Bits of an entry of /proc/PID/pagemap. */
  private static final long PRESENT_OR_SWAPPED = 3L << 62;

  private static final long FILE_OR_SHARED = 1L << 61;
  private static final int ENTRY_BYTES = Long.BYTES;

  /** What is mapped of it privately is as good as anonymous. */
  private static final String EMPTY_DEVICE = "/dev/zero";

  private final FileChannel memory;
  private final FileChannel pagemap;
  private final FileChannel pages;
  private final ByteBuffer entries =
      ByteBuffer.allocateDirect(CHUNK_PAGES * ENTRY_BYTES).order(ByteOrder.nativeOrder());
  private final ByteBuffer content = ByteBuffer.allocateDirect(CHUNK_PAGES * PAGE);
  private final ByteBuffer onePage = ByteBuffer.allocateDirect(PAGE);
  private final ByteBuffer zeros = ByteBuffer.allocateDirect(PAGE);
  private final Source anonymous;
  private final List<Area> areas = new ArrayList<>();
  private final List<String> files = new ArrayList<>();
  private long end;

  /**
   * Of one process.
   *
   * @param pages receives its pages; empty
   * @param anonymous where anonymous memory that holds something comes from again: PAGES or
   *     COPIED_PAGES
   */
  MemoryDump(int pid, FileChannel pages, Source anonymous) throws IOException {
    this.anonymous = anonymous;
    Path process = Path.of("/proc", Integer.toString(pid));
    this.pages = pages;
    this.memory = FileChannel.open(process.resolve("mem"), StandardOpenOption.READ);
    this.pagemap = FileChannel.open(process.resolve("pagemap"), StandardOpenOption.READ);
  }

  /** What was found so far. */
  List<Area> areas() {
    return areas;
  }

  /** The files that areas are mapped from. */
  List<String> files() {
    return files;
  }

  /** To be called behind the last mapping: gives the pages' file its size. */
  void finish() throws IOException {
    if (pages.size() < end) {
      pages.write(ByteBuffer.allocate(1), end - 1);
    }
  }

  /** Adds one mapping; mappings come in ascending order. */
  void add(MappedArea area) throws IOException {
    Mapping mapping = area.mapping();
    if (mapping.permissions().charAt(3) == 's') {
      addPlain(area, mapping.start(), mapping.end(), Source.SHARED_FILE);
    } else if (area.flags().contains("gd")) {
      addStack(area);
    } else if (area.ownBytes() == 0 || area.flags().contains("wf")) {
      addPlain(area, mapping.start(), mapping.end(), background(mapping));
    } else {
      Source background = background(mapping);
      addRuns(area, background, background == Source.FILE ? Source.PAGES : anonymous, false);
    }
  }

  /**
   * Adds a private mapping of a file that cannot be opened again: all that it shows is written.
   *
   * @param imagePages whether it is the pages' file of another image, which stands for anonymous
   *     memory
   */
  void addWhole(MappedArea area, boolean imagePages) throws IOException {
    if (area.flags().contains("gd")) {
      addStack(area);
    } else {
      addRuns(area, Source.NOTHING, imagePages ? anonymous : Source.PAGES, true);
    }
  }

  /** What is there where no page was written. */
  private static Source background(Mapping mapping) {
    boolean file = mapping.inode() != 0 && !mapping.path().equals(EMPTY_DEVICE);
    return file ? Source.FILE : Source.NOTHING;
  }

  private void addPlain(MappedArea area, long start, long end, Source source) {
    Mapping mapping = area.mapping();
    boolean mapped = source == Source.FILE || source == Source.SHARED_FILE;
    int file = mapped ? file(mapping.path()) : -1;
    long offset = mapped ? mapping.offset() + start - mapping.start() : 0;
    areas.add(
        new Area(start, end - start, protection(mapping), source, file, offset, advice(area)));
  }

  private int file(String path) {
    int known = files.indexOf(path);
    if (known >= 0) {
      return known;
    }
    files.add(path);
    return files.size() - 1;
  }

  static int protection(Mapping mapping) {
    String permissions = mapping.permissions();
    return (permissions.charAt(0) == 'r' ? PROT_READ : 0)
        | (permissions.charAt(1) == 'w' ? PROT_WRITE : 0)
        | (permissions.charAt(2) == 'x' ? PROT_EXEC : 0);
  }

  private static List<Integer> advice(MappedArea area) {
    List<Integer> advice = new ArrayList<>();
    for (Advice known : Advice.values()) {
      if (area.flags().contains(known.flag)) {
        advice.add(known.number);
      }
    }
    return advice;
  }

  /** Advice that lasts, as VmFlags shows it. */
  private enum Advice {
    HUGEPAGE("hg", 14),
    NOHUGEPAGE("nh", 15),
    DONTDUMP("dd", 16),
    WIPEONFORK("wf", 18);

    private final String flag;
    private final int number;

    Advice(String flag, int number) {
      this.flag = flag;
      this.number = number;
    }
  }

  private void addStack(MappedArea area) throws IOException {
    Mapping mapping = area.mapping();
    long offset = end;
    copyRange(mapping.start(), mapping.end());
    areas.add(
        new Area(
            mapping.start(),
            mapping.end() - mapping.start(),
            protection(mapping),
            Source.STACK,
            -1,
            offset,
            advice(area)));
  }

  /**
   * Splits a mapping into runs of written pages and the long gaps between them.
   *
   * @param background what the gaps are
   * @param source where the written pages come from again
   * @param whole whether all pages are written, not only those that are the process's own
   */
  private void addRuns(MappedArea area, Source background, Source source, boolean whole)
      throws IOException {
    Mapping mapping = area.mapping();
    Run run = new Run(area, background, source);
    for (long chunk = mapping.start(); chunk < mapping.end(); chunk += (long) CHUNK_PAGES * PAGE) {
      int count = (int) Math.min(CHUNK_PAGES, (mapping.end() - chunk) / PAGE);
      BitSet kept = whole ? readablePages(chunk, count) : ownPages(chunk, count);
      if (background == Source.NOTHING) {
        clearEmpty(kept);
      }
      for (int i = kept.nextSetBit(0); i >= 0; ) {
        int after = kept.nextClearBit(i);
        run.add(chunk + (long) i * PAGE, content.slice(i * PAGE, (after - i) * PAGE));
        i = kept.nextSetBit(after);
      }
    }
    run.finish();
  }

  /** The run of written pages at which {@link #addRuns} is. */
  private final class Run {
    private final MappedArea area;
    private final Mapping mapping;
    private final Source background;
    private final Source source;
    private long done;
    private long start = -1;
    private long stop;
    private long offset;

    Run(MappedArea area, Source background, Source source) {
      this.area = area;
      this.background = background;
      this.source = source;
      this.mapping = area.mapping();
      this.done = mapping.start();
    }

    void add(long address, ByteBuffer bytes) throws IOException {
      if (start < 0 || address - stop >= (long) GAP_PAGES * PAGE) {
        close();
        start = address;
        offset = end;
      } else if (background == Source.FILE) {
        copyRange(stop, address);
      } else {
        end += address - stop;
      }
      stop = address + bytes.remaining();
      append(bytes);
    }

    private void close() {
      if (start < 0) {
        return;
      }
      if (done < start) {
        addPlain(area, done, start, background);
      }
      areas.add(
          new Area(start, stop - start, protection(mapping), source, -1, offset, advice(area)));
      done = stop;
    }

    void finish() {
      close();
      if (done < mapping.end()) {
        addPlain(area, done, mapping.end(), background);
      }
    }
  }

  /** The pages of a chunk that are the process's own; their bytes are in {@link #content} then. */
  private BitSet ownPages(long chunk, int count) throws IOException {
    entries.clear().limit(count * ENTRY_BYTES);
    readFully(pagemap, entries, chunk / PAGE * ENTRY_BYTES);
    BitSet own = new BitSet(count);
    for (int i = 0; i < count; i++) {
      own.set(i, isOwn(entries.getLong(i * ENTRY_BYTES)));
    }
    for (int i = own.nextSetBit(0); i >= 0; ) {
      int after = own.nextClearBit(i);
      readFully(
          memory, content.clear().slice(i * PAGE, (after - i) * PAGE), chunk + (long) i * PAGE);
      i = own.nextSetBit(after);
    }
    return own;
  }

  /**
   * Whether a page is in no file, and in no memory that other processes share: in memory, or
   * swapped out.
   *
   * @param entry of /proc/PID/pagemap
   */
  static boolean isOwn(long entry) {
    return (entry & PRESENT_OR_SWAPPED) != 0 && (entry & FILE_OR_SHARED) == 0;
  }

  /** The pages of a chunk that are not behind the end of a file; likewise. */
  private BitSet readablePages(long chunk, int count) throws IOException {
    BitSet readable = new BitSet(count);
    for (int i = 0; i < count; i++) {
      readable.set(i, readPage(content.clear().slice(i * PAGE, PAGE), chunk + (long) i * PAGE));
    }
    return readable;
  }

  /** What holds nothing but zeros need not be written. */
  private void clearEmpty(BitSet pages) {
    for (int i = pages.nextSetBit(0); i >= 0; i = pages.nextSetBit(i + 1)) {
      if (content.slice(i * PAGE, PAGE).mismatch(zeros) < 0) {
        pages.clear(i);
      }
    }
  }

  private static void readFully(FileChannel from, ByteBuffer into, long position)
      throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      int read = from.read(into, at);
      if (read <= 0) {
        throw new EOFException("the process ended while its memory was read");
      }
      at += read;
    }
  }

  /** Writes pages as they are; what cannot be read stays a hole. */
  private void copyRange(long from, long to) throws IOException {
    for (long page = from; page < to; page += PAGE) {
      if (readPage(onePage.clear(), page)) {
        append(onePage.flip());
      } else {
        end += PAGE;
      }
    }
  }

  /** Whether a page can be read; one that cannot is behind the end of a file. */
  private boolean readPage(ByteBuffer into, long page) throws IOException {
    try {
      readFully(memory, into, page);
      return true;
    } catch (EOFException e) {
      throw e;
    } catch (IOException e) {
      return false;
    }
  }

  private void append(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      end += pages.write(bytes, end);
    }
  }

  @Override
  public void close() throws IOException {
    memory.close();
    pagemap.close();
  }
}
