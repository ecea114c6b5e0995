package io.pilotlight.recorder;

import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A set of memory pages, kept as runs: neighbouring pages are one run, however many they are.
 * Immutable.
 */
public final class PageSet {
  /** Size of a page in bytes, on the one architecture that there is. */
  public static final int PAGE_BYTES = 4096;

  private static final PageSet EMPTY = new PageSet(new long[0]);

  /** First page and first page after it, of each run, in ascending order. */
  private final long[] bounds;

  private PageSet(long[] bounds) {
    this.bounds = bounds;
  }

  /** No pages. */
  public static PageSet empty() {
    return EMPTY;
  }

  /** Is told of runs. */
  @FunctionalInterface
  public interface RunConsumer {
    /** One run, by the addresses of its first byte and of the first byte after it. */
    void accept(long start, long end);
  }

  /** Collects pages in ascending order. */
  public static final class Builder {
    private long[] bounds = new long[64];
    private int used;

    /**
     * Adds pages, by the addresses of the first byte and of the first byte after the last.
     *
     * @throws IllegalArgumentException if they lie before what was added
     */
    public Builder add(long start, long end) {
      long first = start / PAGE_BYTES;
      long last = (end + PAGE_BYTES - 1) / PAGE_BYTES;
      if (used > 0 && first < bounds[used - 1]) {
        throw new IllegalArgumentException(
            Long.toHexString(start) + " lies before the end of what was added");
      }
      if (first >= last) {
        return this;
      }
      if (used > 0 && first == bounds[used - 1]) {
        bounds[used - 1] = last;
        return this;
      }
      if (used == bounds.length) {
        bounds = Arrays.copyOf(bounds, 2 * used);
      }
      bounds[used++] = first;
      bounds[used++] = last;
      return this;
    }

    /** What was added. */
    public PageSet build() {
      return used == 0 ? EMPTY : new PageSet(Arrays.copyOf(bounds, used));
    }
  }

  /** How many runs there are. */
  public int runs() {
    return bounds.length / 2;
  }

  /** How many pages there are. */
  public long pages() {
    long pages = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      pages += bounds[i + 1] - bounds[i];
    }
    return pages;
  }

  /** Whether the page at this address is in it. */
  public boolean contains(long address) {
    int found = Arrays.binarySearch(bounds, address / PAGE_BYTES);
    // An even index is a first page; between an even and an odd index lies the inside of a run.
    return found >= 0 ? found % 2 == 0 : -(found + 1) % 2 == 1;
  }

  /** Tells each run, in ascending order. */
  public void forEachRun(RunConsumer consumer) {
    for (int i = 0; i < bounds.length; i += 2) {
      consumer.accept(bounds[i] * PAGE_BYTES, bounds[i + 1] * PAGE_BYTES);
    }
  }

  /** The pages that are in both. */
  public PageSet and(PageSet other) {
    return inAtLeast(2, List.of(this, other));
  }

  /** The pages that are in one of both, or in both. */
  public PageSet or(PageSet other) {
    return inAtLeast(1, List.of(this, other));
  }

  /** The pages that are in at least {@code count} of the sets; {@code count} is positive. */
  public static PageSet inAtLeast(int count, Collection<PageSet> sets) {
    if (count < 1) {
      throw new IllegalArgumentException("at least " + count + " of " + sets.size() + " sets");
    }
    // Sweeps over all bounds: twice a page, plus one where a run begins. Where one run ends and
    // another begins the end comes first, and the builder joins what meets.
    long[] events =
        sets.stream()
            .flatMapToLong(
                set ->
                    LongStream.range(0, set.bounds.length)
                        .map(i -> 2 * set.bounds[(int) i] + (1 - i % 2)))
            .sorted()
            .toArray();
    Builder builder = new Builder();
    int depth = 0;
    long start = 0;
    for (long event : events) {
      long page = event / 2;
      boolean begins = event % 2 == 1;
      if (begins && ++depth == count) {
        start = page;
      } else if (!begins && depth-- == count) {
        builder.add(start * PAGE_BYTES, page * PAGE_BYTES);
      }
    }
    return builder.build();
  }

  /**
   * The same pages and the gaps between them that are at most {@code maxGapPages} wide and lie in
   * one of the regions with both their neighbours: fewer runs, more pages.
   *
   * @param regions in ascending order; a run that lies in none keeps its gaps
   */
  public PageSet bridged(long maxGapPages, Collection<MemoryRegion> regions) {
    Builder builder = new Builder();
    Iterator<MemoryRegion> rest = regions.iterator();
    long regionEnd = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      long start = bounds[i] * PAGE_BYTES;
      while (regionEnd <= start && rest.hasNext()) {
        regionEnd = rest.next().end();
      }
      long end = bounds[i + 1] * PAGE_BYTES;
      while (i + 2 < bounds.length
          && bounds[i + 2] * PAGE_BYTES - end <= maxGapPages * PAGE_BYTES
          && bounds[i + 3] * PAGE_BYTES <= regionEnd) {
        i += 2;
        end = bounds[i + 1] * PAGE_BYTES;
      }
      builder.add(start, end);
    }
    return builder.build();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PageSet that && Arrays.equals(bounds, that.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }

  @Override
  public String toString() {
    return pages() + " pages in " + runs() + " runs";
  }
}
