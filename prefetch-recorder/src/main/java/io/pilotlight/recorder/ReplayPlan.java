package io.pilotlight.recorder;

import java.util.ArrayList;
import java.util.List;

/**
 * What a clone touches before its first call, as the arguments of madvise(2): MADV_POPULATE_WRITE
 * for what is written, MADV_POPULATE_READ for pages of files. Both need Linux 5.14. Immutable.
 *
 * @param ranges in ascending order for each kind of advice
 * @param pages how many pages they cover
 */
public record ReplayPlan(List<Range> ranges, long pages) {
  /** Touches nothing. */
  public static final ReplayPlan NONE = new ReplayPlan(List.of(), 0);

  private static final int MAX_GAP_PAGES = 1 << 10;

  /** Copies the list. */
  public ReplayPlan {
    ranges = List.copyOf(ranges);
  }

  /** What madvise(2) is asked for. */
  public enum Advice {
    /** MADV_POPULATE_READ. */
    POPULATE_READ(22),
    /** MADV_POPULATE_WRITE. */
    POPULATE_WRITE(23);

    private final int number;

    Advice(int number) {
      this.number = number;
    }

    /** Its number in mman.h. */
    public int number() {
      return number;
    }
  }

  /**
   * One call of madvise(2).
   *
   * @param start address of the first byte, at a page's beginning
   * @param bytes how many, whole pages
   * @param advice what is asked for
   */
  public record Range(long start, long bytes, Advice advice) {}

  /**
   * Plans to touch a set. Small gaps between pages are touched too, as a page costs less than a
   * call; where there are more than {@code maxRanges} runs the gaps may be as wide as it takes.
   *
   * @param set what is to be touched
   * @param regions where it lies, in ascending order; a gap between two regions is never touched
   * @param maxRanges how many ranges the plan may have, at least two for each region
   */
  public static ReplayPlan of(Recording set, List<MemoryRegion> regions, int maxRanges) {
    PageSet written = set.written();
    PageSet file = set.file();
    for (int gap = 1; gap <= MAX_GAP_PAGES; gap *= 2) {
      file = set.file().bridged(8L * gap, regions);
      if (written.runs() + file.runs() <= maxRanges) {
        break;
      }
      written = set.written().bridged(gap, regions);
      if (written.runs() + file.runs() <= maxRanges) {
        break;
      }
    }
    List<Range> ranges = new ArrayList<>();
    written.forEachRun((from, to) -> ranges.add(new Range(from, to - from, Advice.POPULATE_WRITE)));
    file.forEachRun((from, to) -> ranges.add(new Range(from, to - from, Advice.POPULATE_READ)));
    List<Range> kept = ranges.subList(0, Math.min(ranges.size(), maxRanges));
    return new ReplayPlan(kept, kept.stream().mapToLong(Range::bytes).sum() / PageSet.PAGE_BYTES);
  }
}
