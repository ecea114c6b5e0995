package io.pilotlight.recorder;

import static io.pilotlight.recorder.PageSetTest.pages;
import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.recorder.ReplayPlan.Advice;
import io.pilotlight.recorder.ReplayPlan.Range;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class ReplayPlanTest {
  private static final long PAGE = PageSet.PAGE_BYTES;

  private static final List<MemoryRegion> REGIONS =
      List.of(
          new MemoryRegion(0, 1_000 * PAGE, MemoryRegion.Kind.WRITABLE),
          new MemoryRegion(1_000 * PAGE, 2_000 * PAGE, MemoryRegion.Kind.FILE));

  @Test
  void writesWhatIsWrittenAndReadsFiles() {
    ReplayPlan plan = ReplayPlan.of(new Recording(pages(1, 3), pages(1_500, 1_501)), REGIONS, 100);
    assertThat(plan.ranges())
        .containsExactly(
            new Range(PAGE, 2 * PAGE, Advice.POPULATE_WRITE),
            new Range(1_500 * PAGE, PAGE, Advice.POPULATE_READ));
    assertThat(plan.pages()).isEqualTo(3);
  }

  @Test
  void nothingRecordedIsNothingReplayed() {
    Recording nothing = new Recording(PageSet.empty(), PageSet.empty());
    assertThat(ReplayPlan.of(nothing, REGIONS, 100)).isEqualTo(ReplayPlan.NONE);
  }

  @Test
  void pagesThatAreNotWrittenAreNotCopiedWhereThereIsRoom() {
    PageSet everyOther = everyOtherPageBelow(100);
    ReplayPlan plan = ReplayPlan.of(new Recording(everyOther, PageSet.empty()), REGIONS, 100);
    assertThat(plan.pages()).isEqualTo(50);
  }

  @Test
  void gapsAreBridgedWhereThereAreTooManyRuns() {
    PageSet everyOther = everyOtherPageBelow(900);
    ReplayPlan plan = ReplayPlan.of(new Recording(everyOther, PageSet.empty()), REGIONS, 20);
    assertThat(plan.ranges()).hasSizeLessThanOrEqualTo(20);
    PageSet covered =
        plan.ranges().stream()
            .collect(
                PageSet.Builder::new,
                (builder, range) -> builder.add(range.start(), range.start() + range.bytes()),
                (a, b) -> {})
            .build();
    assertThat(covered.and(everyOther)).as("nothing is left out").isEqualTo(everyOther);
  }

  private static PageSet everyOtherPageBelow(long end) {
    return pages(
        LongStream.range(0, end / 2).flatMap(i -> LongStream.of(2 * i, 2 * i + 1)).toArray());
  }
}
