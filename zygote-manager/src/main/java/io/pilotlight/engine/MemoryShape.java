package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.MADVISE;
import static io.pilotlight.linux.Syscall.MMAP;
import static io.pilotlight.linux.Syscall.MPROTECT;
import static io.pilotlight.linux.Syscall.MREMAP;
import static io.pilotlight.linux.Syscall.MUNMAP;
import static io.pilotlight.linux.Uapi.MAP_PRIVATE_ANONYMOUS;
import static io.pilotlight.linux.Uapi.MREMAP_MAYMOVE_FIXED;
import static io.pilotlight.linux.Uapi.PROT_EXEC;
import static io.pilotlight.linux.Uapi.PROT_READ;
import static io.pilotlight.linux.Uapi.PROT_WRITE;

import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcFs.Mapping;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the memory of a frozen JVM the shape that is the fastest to fork. The kernel copies one
 * page-table entry for each page that is the process's own, but only one for a huge page: so unused
 * pages are given back, and what stays is put into huge pages where it can be.
 *
 * <p>The free part of the young generation is left in small pages: it is what each clone writes to
 * first, and the first write to a huge page that is shared takes it apart.
 */
final class MemoryShape {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryShape.class);
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;
  private static final int MADV_COLLAPSE = 25;
  private static final long HUGE_PAGE = 2 << 20;

  /** From so much in a huge page on, the young generation is the zygote's, not the clones'. */
  private static final long USED_BYTES = HUGE_PAGE * 3 / 4;

  private static final int COPY_BYTES = 1 << 20;

  /** The least that HotSpot commits in metaspace; metaspace/metaspaceSettings.hpp. */
  private static final long COMMIT_GRANULE = 64 << 10;

  /** HEAP_MAX_SIZE of glibc. */
  private static final long ARENA_BYTES = 64 << 20;

  /** From so much in its last huge page on, an arena is given the rest of it. */
  private static final long ARENA_WORTH_BYTES = 128 << 10;

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
    Optional<VmStructs> structs = structs(mappings);
    List<SerialHeap.Space> young =
        serialHeap && structs.isPresent() ? young(structs.get(), mappings) : List.of();
    giveBack(young);
    if (collapse) {
      detachArchive(mappings);
      if (structs.isPresent()) {
        joinMetaspace(structs.get());
      }
      extendArenas(mappings);
      collapse(young);
    }
  }

  /** A JVM that describes itself otherwise than expected keeps its pages; that is all it costs. */
  private Optional<VmStructs> structs(List<Mapping> mappings) {
    Set<String> types = new HashSet<>(SerialHeap.TYPES);
    types.addAll(Metaspace.TYPES);
    try {
      return VmStructs.read(process.memory(), mappings, types);
    } catch (IOException e) {
      LOG.warn("the JVM's description of process {} cannot be read", process.pid(), e);
      return Optional.empty();
    }
  }

  private List<SerialHeap.Space> young(VmStructs structs, List<Mapping> mappings) {
    try {
      List<SerialHeap.Space> young = SerialHeap.young(structs);
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
    boolean executable = mapping.permissions().charAt(2) == 'x';
    rebuild(List.of(mapping), mapping.start(), mapping.end(), executable);
  }

  /**
   * Metaspace is committed in granules of 64 KiB, each a mapping of its own if it was touched
   * before its neighbour was there. Where the blocks hold a mixture they get one writable mapping.
   * The JVM maps a granule anew when it commits it, so it does not see the difference.
   */
  private void joinMetaspace(VmStructs structs) throws IOException {
    List<Mapping> mappings = ProcFs.mappings(process.pid());
    long start = 0;
    long end = 0;
    for (long block : metaspace(structs)) {
      if (!isMixture(mappings, block)) {
        continue;
      }
      if (block != end) {
        join(mappings, start, end);
        start = block;
      }
      end = block + HUGE_PAGE;
    }
    join(mappings, start, end);
  }

  private SortedSet<Long> metaspace(VmStructs structs) {
    try {
      return Metaspace.blocks(structs, HUGE_PAGE);
    } catch (KernelException e) {
      LOG.warn("the metaspace of process {} cannot be read", process.pid(), e);
      return Collections.emptySortedSet();
    }
  }

  private static List<Mapping> within(List<Mapping> mappings, long start, long end) {
    return mappings.stream().filter(m -> m.start() < end && start < m.end()).toList();
  }

  /** Whether a block is covered by several mappings, all of them metaspace's. */
  private static boolean isMixture(List<Mapping> mappings, long block) {
    List<Mapping> parts = within(mappings, block, block + HUGE_PAGE);
    long covered = block;
    for (Mapping part : parts) {
      boolean access = part.permissions().equals("rw-p");
      boolean unused = part.permissions().equals("---p") && isGranules(part);
      if (part.inode() != 0 || part.start() > covered || !(access || unused)) {
        return false;
      }
      covered = part.end();
    }
    return parts.size() > 1 && covered >= block + HUGE_PAGE;
  }

  private static boolean isGranules(Mapping mapping) {
    return mapping.start() % COMMIT_GRANULE == 0 && mapping.end() % COMMIT_GRANULE == 0;
  }

  private void join(List<Mapping> mappings, long start, long end) throws IOException {
    if (start < end) {
      rebuild(within(mappings, start, end), start, end, false);
    }
  }

  /**
   * Puts one new mapping in the place of those that are there.
   *
   * @param parts what is copied; those without access are empty
   * @param start its first byte
   * @param end the first byte after it
   */
  private void rebuild(List<Mapping> parts, long start, long end, boolean executable)
      throws IOException {
    long bytes = end - start;
    // As far from the beginning of a huge page as where it is to go, so that huge pages can move.
    long room = bytes + HUGE_PAGE;
    long map = call("mmap", MMAP, 0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    long copy = map + Math.floorMod(start - map, HUGE_PAGE);
    // Without it the pages are small at first; collapse follows in any case.
    process.syscall(thread, MADVISE, copy, bytes, MADV_HUGEPAGE);
    for (Mapping part : parts) {
      if (part.permissions().charAt(0) == 'r') {
        copy(Math.max(start, part.start()), Math.min(end, part.end()), copy - start);
      }
    }
    if (executable) {
      call("mprotect", MPROTECT, copy, bytes, PROT_READ | PROT_WRITE | PROT_EXEC);
    }
    call("mremap", MREMAP, copy, bytes, bytes, MREMAP_MAYMOVE_FIXED, start);
    if (copy > map) {
      call("munmap", MUNMAP, map, copy - map);
    }
    if (copy + bytes < map + room) {
      call("munmap", MUNMAP, copy + bytes, map + room - copy - bytes);
    }
  }

  private void copy(long start, long end, long distance) throws KernelException {
    for (long at = start; at < end; at += COPY_BYTES) {
      int count = (int) Math.min(COPY_BYTES, end - at);
      process.memory().write(at + distance, process.memory().read(at, count));
    }
  }

  /**
   * Gives the arenas of glibc's malloc(3) access to the rest of their last huge page. What it has
   * not handed out yet may have access: it would only ask for it once more.
   */
  private void extendArenas(List<Mapping> mappings) throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (int i = 0; i + 1 < mappings.size(); i++) {
      Mapping used = mappings.get(i);
      long end = (used.end() + HUGE_PAGE - 1) & -HUGE_PAGE;
      long tail = used.end() - (used.end() & -HUGE_PAGE);
      if (isArena(used, mappings.get(i + 1)) && tail >= ARENA_WORTH_BYTES) {
        operations.add(
            Operation.of(
                    "mprotect",
                    "malloc arena",
                    MPROTECT,
                    value(used.end()),
                    value(end - used.end()),
                    value(PROT_READ | PROT_WRITE))
                .orIgnore());
      }
    }
    batch.run(operations);
  }

  /** See heap_info in glibc's malloc/arena.c: its third and fourth words are the size in use. */
  private boolean isArena(Mapping used, Mapping unused) throws KernelException {
    boolean placed =
        used.start() % ARENA_BYTES == 0
            && used.permissions().equals("rw-p")
            && used.inode() == 0
            && unused.permissions().equals("---p")
            && unused.inode() == 0
            && unused.start() == used.end()
            && unused.end() == used.start() + ARENA_BYTES;
    return placed
        && process.memory().read(used.start(), 32).getLong(24) == used.end() - used.start();
  }

  private long call(String name, int number, long... arguments) throws IOException {
    return process.call(thread, name, "for a copy in huge pages", number, arguments);
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
        if (young.stream().noneMatch(space -> isForClones(space, block))) {
          operations.add(advice("collapse", at, HUGE_PAGE, MADV_COLLAPSE));
        }
      }
    }
    batch.run(operations);
    LOG.debug("collapsed up to {} ranges of process {}", operations.size(), process.pid());
  }

  /** Whether most of a block is young and free: clones will write there. */
  private static boolean isForClones(SerialHeap.Space space, long block) {
    boolean used = space.bottom() <= block && space.top() - block >= USED_BYTES;
    return block < space.end() && space.bottom() < block + HUGE_PAGE && !used;
  }
}
