package io.pilotlight.engine;

import io.pilotlight.engine.ImageState.KernelArea;
import io.pilotlight.engine.ImageState.Source;
import io.pilotlight.engine.Residence.KeptDescriptor;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcFs.MappedArea;
import io.pilotlight.linux.ProcFs.Mapping;
import io.pilotlight.tracee.FrozenProcess;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a fork server down, and gives a blank process its memory back.
 *
 * <p>The fork server's region lies in that memory with everything else. So a blank process that has
 * got it is that fork server, runs the same routine, answers the same requests, and its clones
 * become themselves in the same way. The only difference is that its pages are those of a file,
 * which are read when they are touched: nothing is copied when a clone is made, however large the
 * heap is.
 *
 * <p>Stateless; a call belongs to the thread that makes it.
 */
public final class ImageEngine {
  /** How much address space a blank process needs beside what it becomes. */
  public static final int WORKBENCH_BYTES = 2 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(ImageEngine.class);

  /** The lowest address that ordinary processes may map; vm.mmap_min_addr is not above it. */
  private static final long LOWEST_ADDRESS = 64 << 10;

  private static final String KERNEL_AREA = "[v";
  private static final String VSYSCALL = "[vsyscall]";
  private static final String DELETED = " (deleted)";

  private ImageEngine() {}

  /**
   * Writes the pages of a fork server, which may make clones meanwhile.
   *
   * @param pid the fork server
   * @param residence what it is
   * @param pages an empty file for its pages
   * @param isImagePages whether a file holds the pages of another image. What is mapped from one is
   *     written again: the new image needs no other
   * @return all the rest
   * @throws UnclonableException if it holds memory that cannot be made again
   * @throws IOException if it ended meanwhile, or the file cannot be written
   */
  public static ImageState dump(
      int pid, Residence residence, FileChannel pages, Predicate<Path> isImagePages)
      throws IOException, UnclonableException {
    List<KernelArea> kernelAreas = new ArrayList<>();
    List<Mapping> all = new ArrayList<>();
    List<Obstacle> obstacles = new ArrayList<>(sharedDescriptors(residence));
    Optional<String> foreign = ForeignCode.find(ProcFs.mappings(pid), isImagePages);
    foreign.ifPresent(
        library ->
            LOG.info(
                "clones of the image of process {} copy its memory, because of {}", pid, library));
    Source anonymous = foreign.isPresent() ? Source.COPIED_PAGES : Source.PAGES;
    try (MemoryDump dump = new MemoryDump(pid, pages, anonymous)) {
      for (MappedArea area : ProcFs.mappedAreas(pid)) {
        Mapping mapping = area.mapping();
        if (mapping.path().equals(VSYSCALL)) {
          continue;
        }
        all.add(mapping);
        if (mapping.path().startsWith(KERNEL_AREA)) {
          kernelAreas.add(kernelArea(mapping));
        } else if (!area.flags().contains("dc")) {
          add(dump, area, isImagePages).ifPresent(obstacles::add);
        }
      }
      dump.finish();
      if (!obstacles.isEmpty()) {
        throw new UnclonableException(obstacles);
      }
      return new ImageState(
          residence,
          dump.areas(),
          dump.files(),
          kernelAreas,
          ProcFs.memoryLayout(pid),
          Base64.getEncoder().encodeToString(ProcFs.auxiliaryVector(pid)),
          ProcFs.maxDescriptors(pid),
          workbench(all));
    }
  }

  /** Returns what keeps it from being written. */
  private static Optional<Obstacle> add(
      MemoryDump dump, MappedArea area, Predicate<Path> isImagePages) throws IOException {
    Mapping mapping = area.mapping();
    boolean shared = mapping.permissions().charAt(3) == 's';
    boolean file = mapping.inode() != 0 && mapping.path().startsWith("/");
    boolean nameless = file && mapping.path().endsWith(DELETED);
    boolean imagePages = file && !nameless && isImagePages.test(Path.of(mapping.path()));
    if ((mapping.inode() != 0 && !file) || (nameless && shared)) {
      return Optional.of(
          Obstacle.other(
              (shared ? "Shared memory" : "Memory")
                  + " at 0x"
                  + Long.toHexString(mapping.start())
                  + " is mapped from '"
                  + mapping.path()
                  + "', which cannot be opened again.",
              "Do without it, or without an image (deploy with --no-image)."));
    }
    if (nameless || imagePages) {
      dump.addWhole(area, imagePages);
    } else {
      dump.add(area);
    }
    return Optional.empty();
  }

  private static List<Obstacle> sharedDescriptors(Residence residence) {
    return residence.descriptors().stream()
        .filter(kept -> kept.kind() == KeptDescriptor.Kind.SHARED)
        .map(
            kept ->
                Obstacle.descriptor(
                    kept.number(),
                    "Descriptor "
                        + kept.number()
                        + " ("
                        + kept.target()
                        + ") is shared by clones and zygote, as a rule allows; no image can hold it.",
                    "Close it before the freeze, or do without an image (deploy with --no-image)."))
        .toList();
  }

  private static KernelArea kernelArea(Mapping mapping) {
    return new KernelArea(mapping.path(), mapping.start(), mapping.end() - mapping.start());
  }

  /** The memory that the kernel gave this process: an image that fits here has the same. */
  public static List<KernelArea> kernelAreas(int pid) throws IOException {
    return ProcFs.mappings(pid).stream()
        .filter(mapping -> mapping.path().startsWith(KERNEL_AREA))
        .filter(mapping -> !mapping.path().equals(VSYSCALL))
        .map(ImageEngine::kernelArea)
        .toList();
  }

  private static long workbench(List<Mapping> mappings) throws IOException {
    long free = LOWEST_ADDRESS;
    for (Mapping mapping : mappings) {
      if (mapping.start() - free >= WORKBENCH_BYTES) {
        return free;
      }
      free = Math.max(free, mapping.end());
    }
    throw new IOException("the process has no " + WORKBENCH_BYTES + " free bytes of address space");
  }

  /**
   * Opens what an image's memory is mapped from: the state's files, in their order, then its pages.
   */
  public static List<Fd> sources(ImageState state, Path pages) throws KernelException {
    List<Path> paths = new ArrayList<>(state.files().stream().map(Path::of).toList());
    paths.add(pages);
    List<Fd> opened = new ArrayList<>();
    boolean done = false;
    try {
      for (Path path : paths) {
        opened.add(OpenFile.readOnly(path));
      }
      done = true;
      return opened;
    } finally {
      if (!done) {
        opened.forEach(Fd::close);
      }
    }
  }

  /**
   * Makes a blank process a fork server. Everything happens on the calling thread, which must be a
   * platform thread. If this process dies before it is done, the blank one dies too.
   *
   * @param pid a process that waits to execute a program. It has /dev/null as descriptors 0 to 2,
   *     something as its channel, a listening socket under the number that the fork server had it
   *     under, and the {@link #sources}
   * @param go lets it execute that program
   * @param state what it is to become
   * @param firstSource the descriptor of the first of its sources; the others follow
   * @param clocks how far its clocks are to be ahead of this process's
   * @throws IOException if a step failed; the process can only be ended then
   */
  public static void revive(
      int pid, FrozenProcess.Go go, ImageState state, int firstSource, ClockShift clocks)
      throws IOException {
    FrozenProcess process = FrozenProcess.atExec(pid, go);
    boolean left = false;
    try {
      new BlankProcess(process, state).become(firstSource, clocks);
      left = true;
    } finally {
      if (!left) {
        process.release();
      }
    }
  }
}
