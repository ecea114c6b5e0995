package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;

import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcFs.Mapping;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the memory of a frozen JVM the shape that is the fastest to fork. The kernel copies one
 * page-table entry for each page that is the process's own, but only one for a huge page: so unused
 * pages are given back, and what stays is put into huge pages where it can be.
 *
 * <p>The young generation is left in small pages: it is what each clone writes to first, and the
 * first write to a huge page that is shared takes it apart.
 */
final class MemoryShape {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryShape.class);
  private static final int MMAP = 9;
  private static final int MPROTECT = 10;
  private static final int MUNMAP = 11;
  private static final int MREMAP = 25;
  private static final int MADVISE = 28;
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MREMAP_MAYMOVE_FIXED = 3;
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_COLLAPSE = 25;
  private static final long HUGE_PAGE = 2 << 20;
  private static final int COPY_BYTES = 1 << 20;

  /** HotSpot's name for its archives of class data. */
  private static final String CDS_SUFFIX = ".jsa";

  private final FrozenProcess process;
  private final ThreadState thread;
  private final Batch batch;

  /** Runs operations, whose errors are all ignored, in a thread of the frozen process. */
  @FunctionalInterface
  interface Batch {
    /** Runs them. */
    void run(List<Operation> operations) throws IOException;
  }

  /**
   * For a frozen process.
   *
   * @param thread one of its threads, which makes the calls
   */
  MemoryShape(FrozenProcess process, ThreadState thread, Batch batch) {
    this.process = process;
    this.thread = thread;
    this.batch = batch;
  }

  /**
   * Does it.
   *
   * @param serialHeap whether the JVM runs the Serial collector
   * @param collapse whether memory is put into huge pages
   * @throws IOException if a step failed from which there is no way back: the process can only be
   *     ended
   */
  void improve(boolean serialHeap, boolean collapse) throws IOException {
    List<Mapping> mappings = ProcFs.mappings(process.pid());
    List<SerialHeap.Space> young = serialHeap ? young(mappings) : List.of();
    giveBack(young);
    if (collapse) {
      detachArchive(mappings);
      collapse(young);
    }
  }

  /** A JVM that describes itself otherwise than expected keeps its pages; that is all it costs. */
  private List<SerialHeap.Space> young(List<Mapping> mappings) {
    try {
      List<SerialHeap.Space> young = SerialHeap.young(process.memory(), mappings);
      if (!young.isEmpty() && young.stream().allMatch(space -> insideOne(space, mappings))) {
        return young;
      }
      LOG.warn("the heap of process {} was not found; it stays as it is", process.pid());
    } catch (IOException e) {
      LOG.warn("the heap of process {} cannot be read", process.pid(), e);
    }
    return List.of();
  }

  private static boolean insideOne(SerialHeap.Space space, List<Mapping> mappings) {
    return mappings.stream()
        .anyMatch(mapping -> mapping.start() <= space.bottom() && space.end() <= mapping.end());
  }

  private void giveBack(List<SerialHeap.Space> young) throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (SerialHeap.Space space : young) {
      long start = (space.top() + ResidentLayout.PAGE - 1) & -ResidentLayout.PAGE;
      long end = space.end() & -ResidentLayout.PAGE;
      if (start < end) {
        operations.add(advice("give back", start, end - start, MADV_DONTNEED));
      }
    }
    batch.run(operations);
  }

  private static Operation advice(String detail, long start, long bytes, int advice) {
    return Operation.of("madvise", detail, MADVISE, value(start), value(bytes), value(advice))
        .orIgnore();
  }

  /**
   * Copies the writable part of the CDS archive into memory of its own. The pages that were written
   * since the JVM started are anonymous, in a mapping of a file, and cannot become huge there.
   */
  private void detachArchive(List<Mapping> mappings) throws IOException {
    for (Mapping mapping : mappings) {
      boolean writable = mapping.permissions().startsWith("rw") && !mapping.writableShared();
      if (writable && mapping.path().endsWith(CDS_SUFFIX) && blocks(mapping) > 0) {
        detach(mapping);
      }
    }
  }

  private void detach(Mapping mapping) throws IOException {
    long bytes = mapping.end() - mapping.start();
    // As far from the beginning of a huge page as where it is to go, so that huge pages can move.
    long room = bytes + HUGE_PAGE;
    long map = call("mmap", MMAP, 0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    long copy = map + Math.floorMod(mapping.start() - map, HUGE_PAGE);
    // Without it the pages are small at first; collapse follows in any case.
    process.syscall(thread, MADVISE, copy, bytes, MADV_HUGEPAGE);
    for (long at = 0; at < bytes; at += COPY_BYTES) {
      int count = (int) Math.min(COPY_BYTES, bytes - at);
      ByteBuffer content = process.memory().read(mapping.start() + at, count);
      process.memory().write(copy + at, content);
    }
    if (mapping.permissions().charAt(2) == 'x') {
      call("mprotect", MPROTECT, copy, bytes, PROT_READ | PROT_WRITE | PROT_EXEC);
    }
    call("mremap", MREMAP, copy, bytes, bytes, MREMAP_MAYMOVE_FIXED, mapping.start());
    if (copy > map) {
      call("munmap", MUNMAP, map, copy - map);
    }
    if (copy + bytes < map + room) {
      call("munmap", MUNMAP, copy + bytes, map + room - copy - bytes);
    }
  }

  private long call(String name, int number, long... arguments) throws IOException {
    return process.call(thread, name, "for the CDS archive", number, arguments);
  }

  /** How many whole huge pages lie in it. */
  private static long blocks(Mapping mapping) {
    long start = (mapping.start() + HUGE_PAGE - 1) & -HUGE_PAGE;
    return Math.max(0, ((mapping.end() & -HUGE_PAGE) - start) / HUGE_PAGE);
  }

  /** A range that cannot be collapsed stays as it is; on kernels before 6.1 all do. */
  private void collapse(List<SerialHeap.Space> young) throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (Mapping mapping : ProcFs.mappings(process.pid())) {
      boolean ordinary = mapping.path().isEmpty() || mapping.path().equals("[heap]");
      if (!ordinary || mapping.permissions().charAt(0) != 'r') {
        continue;
      }
      long first = (mapping.start() + HUGE_PAGE - 1) & -HUGE_PAGE;
      for (long at = first; at + HUGE_PAGE <= mapping.end(); at += HUGE_PAGE) {
        long block = at;
        if (young.stream().noneMatch(space -> overlaps(space, block))) {
          operations.add(advice("collapse", at, HUGE_PAGE, MADV_COLLAPSE));
        }
      }
    }
    batch.run(operations);
    LOG.debug("collapsed up to {} ranges of process {}", operations.size(), process.pid());
  }

  private static boolean overlaps(SerialHeap.Space space, long block) {
    return block < space.end() && space.bottom() < block + HUGE_PAGE;
  }
}
