package io.pilotlight.recorder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class PageSetTest {
  private static final long PAGE = PageSet.PAGE_BYTES;

  /** Of page numbers: first and first after, in turn. */
  static PageSet pages(long... bounds) {
    PageSet.Builder builder = new PageSet.Builder();
    for (int i = 0; i < bounds.length; i += 2) {
      builder.add(bounds[i] * PAGE, bounds[i + 1] * PAGE);
    }
    return builder.build();
  }

  @Test
  void neighboursAreOneRun() {
    PageSet set = pages(1, 3, 3, 5, 7, 8);
    assertThat(set.runs()).isEqualTo(2);
    assertThat(set.pages()).isEqualTo(5);
    assertThat(set).isEqualTo(pages(1, 5, 7, 8)).hasSameHashCodeAs(pages(1, 5, 7, 8));
    assertThat(set).isNotEqualTo(pages(1, 5));
    assertThat(set).hasToString("5 pages in 2 runs");
  }

  @Test
  void aPartOfAPageIsThePage() {
    assertThat(new PageSet.Builder().add(PAGE + 1, PAGE + 2).build()).isEqualTo(pages(1, 2));
    assertThat(new PageSet.Builder().add(PAGE, PAGE).build()).isEqualTo(PageSet.empty());
  }

  @Test
  void pagesComeInAscendingOrder() {
    PageSet.Builder builder = new PageSet.Builder().add(4 * PAGE, 6 * PAGE);
    assertThatThrownBy(() -> builder.add(5 * PAGE, 7 * PAGE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("5000");
  }

  @Test
  void knowsWhatItContains() {
    PageSet set = pages(1, 3, 7, 8);
    for (long page = 0; page < 10; page++) {
      boolean inside = page == 1 || page == 2 || page == 7;
      assertThat(set.contains(page * PAGE)).as("page " + page).isEqualTo(inside);
      assertThat(set.contains(page * PAGE + 4095)).as("end of page " + page).isEqualTo(inside);
    }
    assertThat(PageSet.empty().contains(0)).isFalse();
  }

  @Test
  void addressesMayUseTheWholeUpperHalf() {
    PageSet set = pages(0x7fff_ffff_fL, 0x7fff_ffff_fL + 2);
    assertThat(set.and(set)).isEqualTo(set);
  }

  @Test
  void countsInHowManySetsAPageIs() {
    List<PageSet> sets = List.of(pages(0, 4), pages(2, 6), pages(3, 5, 8, 9));
    assertThat(PageSet.inAtLeast(1, sets)).isEqualTo(pages(0, 6, 8, 9));
    assertThat(PageSet.inAtLeast(2, sets)).isEqualTo(pages(2, 5));
    assertThat(PageSet.inAtLeast(3, sets)).isEqualTo(pages(3, 4));
    assertThat(PageSet.inAtLeast(4, sets)).isEqualTo(PageSet.empty());
    assertThatThrownBy(() -> PageSet.inAtLeast(0, sets))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void countsAsOneByOneWould() {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      List<PageSet> sets = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        TreeSet<Long> numbers = new TreeSet<>();
        random.longs(random.nextInt(12), 0, 20).forEach(numbers::add);
        PageSet.Builder builder = new PageSet.Builder();
        numbers.forEach(n -> builder.add(n * PAGE, (n + 1) * PAGE));
        sets.add(builder.build());
      }
      int least = 1 + random.nextInt(4);
      PageSet.Builder expected = new PageSet.Builder();
      for (long page = 0; page < 20; page++) {
        long address = page * PAGE;
        if (sets.stream().filter(set -> set.contains(address)).count() >= least) {
          expected.add(address, address + PAGE);
        }
      }
      assertThat(PageSet.inAtLeast(least, sets)).isEqualTo(expected.build());
    }
  }

  @Test
  void bridgesSmallGapsWithinARegionOnly() {
    PageSet set = pages(0, 1, 2, 3, 9, 10, 11, 12);
    List<MemoryRegion> regions =
        List.of(
            new MemoryRegion(0, 4 * PAGE, MemoryRegion.Kind.WRITABLE),
            new MemoryRegion(8 * PAGE, 11 * PAGE, MemoryRegion.Kind.WRITABLE),
            new MemoryRegion(11 * PAGE, 12 * PAGE, MemoryRegion.Kind.WRITABLE));
    assertThat(set.bridged(1, regions)).isEqualTo(pages(0, 3, 9, 10, 11, 12));
    assertThat(set.bridged(100, regions)).isEqualTo(pages(0, 3, 9, 10, 11, 12));
    assertThat(set.bridged(0, regions)).isEqualTo(set);
  }
}
