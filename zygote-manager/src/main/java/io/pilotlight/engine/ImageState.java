package io.pilotlight.engine;

import io.pilotlight.linux.ProcFs.MemoryLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * All of a fork server but the content of its pages: what a blank process must be given to become
 * that fork server.
 *
 * @param residence what the fork server says of itself
 * @param areas its memory, in ascending order
 * @param files paths of the files that areas are mapped from
 * @param kernelAreas where the vdso and its data lie, in ascending order
 * @param layout where the kernel takes program and data to lie
 * @param auxiliaryVector what the kernel told the program
 * @param maxDescriptors limit on descriptors, or -1
 * @param workbench an address at which {@link ImageEngine#WORKBENCH_BYTES} are free
 */
public record ImageState(
    Residence residence,
    List<Area> areas,
    List<String> files,
    List<KernelArea> kernelAreas,
    MemoryLayout layout,
    String auxiliaryVector,
    long maxDescriptors,
    long workbench) {

  private static final int MADV_RANDOM = 1;
  private static final int MADV_HUGEPAGE = 14;

  /** Copies the lists. */
  public ImageState {
    areas = List.copyOf(areas);
    files = List.copyOf(files);
    kernelAreas = List.copyOf(kernelAreas);
  }

  /**
   * The same, but each page of the image is read from disk when it is touched, and no other with
   * it.
   */
  public ImageState readSingly() {
    return new ImageState(
        residence,
        areas.stream().map(Area::readSingly).toList(),
        files,
        kernelAreas,
        layout,
        auxiliaryVector,
        maxDescriptors,
        workbench);
  }

  /** Where an area's bytes come from. */
  public enum Source {
    /** It is empty. */
    NOTHING,
    /** Mapped from the pages of the image; a page is copied when it is written to. */
    PAGES,
    /** Read from the pages of the image into memory of its own. */
    COPIED_PAGES,
    /** The same, for a stack that grows downwards by itself. */
    STACK,
    /** Mapped from a file, privately. */
    FILE,
    /** Mapped from a file, shared and only to be read. */
    SHARED_FILE
  }

  /**
   * Memory with one kind of content.
   *
   * @param start address of its first byte
   * @param bytes its size, whole pages
   * @param protection as of mprotect(2)
   * @param source where its bytes come from
   * @param file which of the files, or -1
   * @param offset where in that file, or in the pages
   * @param advice arguments of madvise(2) that it was given
   */
  public record Area(
      long start,
      long bytes,
      int protection,
      Source source,
      int file,
      long offset,
      List<Integer> advice) {
    /** Copies the list. */
    public Area {
      advice = List.copyOf(advice);
    }

    private Area readSingly() {
      if (source != Source.PAGES) {
        return this;
      }
      List<Integer> more = new ArrayList<>(advice);
      more.remove((Integer) MADV_HUGEPAGE); // has the kernel read two megabytes at a time
      more.add(MADV_RANDOM);
      return new Area(start, bytes, protection, source, file, offset, more);
    }
  }

  /** Memory that the kernel provides, by its name in /proc/PID/maps. */
  public record KernelArea(String name, long start, long bytes) {}
}
