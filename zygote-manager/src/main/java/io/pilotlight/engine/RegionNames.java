package io.pilotlight.engine;

import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcFs.Mapping;
import io.pilotlight.linux.ProcessMemory;
import io.pilotlight.recorder.NamedRegion;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;

/** Says what the memory of a frozen JVM is for. */
public final class RegionNames {
  private static final long BLOCK_BYTES = 2 << 20;

  /** HEAP_MAX_SIZE of glibc. */
  private static final long ARENA_BYTES = 64 << 20;

  /** The guard below a thread's stack: glibc's page, or HotSpot's zones. */
  private static final long MAX_GUARD_BYTES = 64 << 10;

  private static final Set<String> TYPES =
      Set.of("Universe", "CollectedHeap", "MemRegion", "CodeCache");

  private final List<NamedRegion> known;

  private RegionNames(List<NamedRegion> known) {
    this.known = known;
  }

  /**
   * The readable mappings of a process, named; one that HotSpot uses for several purposes is cut in
   * pieces.
   *
   * @param pid a frozen JVM
   * @throws IOException if it cannot be looked at
   */
  public static List<NamedRegion> of(int pid) throws IOException {
    List<Mapping> mappings = ProcFs.mappings(pid);
    RegionNames names = new RegionNames(known(pid, mappings));
    List<NamedRegion> regions = new ArrayList<>();
    for (int i = 0; i < mappings.size(); i++) {
      Mapping mapping = mappings.get(i);
      if (mapping.permissions().charAt(0) == 'r') {
        Optional<Mapping> before = i == 0 ? Optional.empty() : Optional.of(mappings.get(i - 1));
        names.add(mapping, before.filter(m -> m.end() == mapping.start()), regions);
      }
    }
    return regions;
  }

  /** What HotSpot says of itself; a part that it does not tell is named by its looks. */
  private static List<NamedRegion> known(int pid, List<Mapping> mappings) throws IOException {
    Set<String> types = new HashSet<>(TYPES);
    types.addAll(Metaspace.TYPES);
    Optional<VmStructs> structs = VmStructs.read(new ProcessMemory(pid), mappings, types);
    List<NamedRegion> known = new ArrayList<>();
    if (structs.isPresent()) {
      heap(structs.get()).ifPresent(known::add);
      codeCache(structs.get()).ifPresent(known::add);
      SortedSet<Long> blocks = Metaspace.blocks(structs.get(), BLOCK_BYTES);
      blocks.forEach(at -> known.add(new NamedRegion(at, at + BLOCK_BYTES, "metaspace")));
    }
    return known;
  }

  private static Optional<NamedRegion> heap(VmStructs structs) throws KernelException {
    OptionalLong heap = structs.field("Universe._collectedHeap");
    OptionalLong reserved = structs.field("CollectedHeap._reserved");
    OptionalLong start = structs.field("MemRegion._start");
    OptionalLong words = structs.field("MemRegion._word_size");
    if (heap.isEmpty() || reserved.isEmpty() || start.isEmpty() || words.isEmpty()) {
      return Optional.empty();
    }
    long region = structs.word(heap.getAsLong()) + reserved.getAsLong();
    long from = structs.word(region + start.getAsLong());
    long bytes = structs.word(region + words.getAsLong()) * Long.BYTES;
    return Optional.of(new NamedRegion(from, from + bytes, "java heap"));
  }

  private static Optional<NamedRegion> codeCache(VmStructs structs) throws KernelException {
    OptionalLong low = structs.field("CodeCache._low_bound");
    OptionalLong high = structs.field("CodeCache._high_bound");
    return low.isEmpty() || high.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new NamedRegion(
                structs.word(low.getAsLong()), structs.word(high.getAsLong()), "code cache"));
  }

  private void add(Mapping mapping, Optional<Mapping> before, List<NamedRegion> regions) {
    String rest = byLooks(mapping, before);
    boolean anonymous = mapping.inode() == 0 && mapping.path().isEmpty();
    long at = mapping.start();
    while (anonymous && at < mapping.end()) {
      long from = at;
      Optional<NamedRegion> here =
          known.stream().filter(r -> r.start() <= from && from < r.end()).findFirst();
      long next =
          here.map(NamedRegion::end)
              .orElseGet(
                  () ->
                      known.stream()
                          .mapToLong(NamedRegion::start)
                          .filter(start -> start > from)
                          .min()
                          .orElse(Long.MAX_VALUE));
      at = Math.min(next, mapping.end());
      regions.add(new NamedRegion(from, at, here.map(NamedRegion::name).orElse(rest)));
    }
    if (!anonymous) {
      regions.add(new NamedRegion(mapping.start(), mapping.end(), rest));
    }
  }

  private static String byLooks(Mapping mapping, Optional<Mapping> before) {
    String path = mapping.path();
    String file = path.substring(path.lastIndexOf('/') + 1);
    if (file.equals("libjvm.so") || before.filter(RegionNames::isJvmData).isPresent()) {
      return "libjvm";
    }
    if (file.endsWith(".jsa")) {
      return "cds archive";
    }
    if (file.contains(".so")) {
      return "libraries";
    }
    if (file.equals("modules")) {
      return "modules";
    }
    if (path.equals("[stack]") || before.filter(RegionNames::isGuard).isPresent()) {
      return "stacks";
    }
    boolean arena = mapping.start() % ARENA_BYTES == 0 && mapping.end() % BLOCK_BYTES == 0;
    if (path.equals("[heap]") || (path.isEmpty() && arena)) {
      return "malloc";
    }
    return path.isEmpty() ? "other" : "files";
  }

  /** The variables of libjvm that have no value in its file follow it. */
  private static boolean isJvmData(Mapping before) {
    return before.path().endsWith("/libjvm.so") && before.permissions().startsWith("rw");
  }

  private static boolean isGuard(Mapping before) {
    return before.permissions().startsWith("---")
        && before.inode() == 0
        && before.end() - before.start() <= MAX_GUARD_BYTES;
  }
}
