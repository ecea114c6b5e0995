package io.pilotlight.recorder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

final class WorkingSetReportTest {
  private static final NamedRegion HEAP = new NamedRegion(0x10000, 0x20000, "java heap");
  private static final NamedRegion MORE_HEAP = new NamedRegion(0x80000, 0x90000, "java heap");
  private static final NamedRegion CODE = new NamedRegion(0x20000, 0x30000, "libjvm");
  private static final NamedRegion UNUSED = new NamedRegion(0x40000, 0x50000, "stacks");

  @Test
  void tellsHitsAndMissesByRegion() {
    WorkingSet set = new WorkingSet();
    // 0x10000 by all three, 0x11000 by two, 0x12000 by one: two pages are usual.
    set.add(recording(pages(0x10000, 0x12000), pages(0x20000, 0x24000)));
    set.add(recording(pages(0x10000, 0x12000), pages(0x20000, 0x24000)));
    set.add(
        recording(pages(0x10000, 0x11000).or(pages(0x12000, 0x13000)), pages(0x20000, 0x24000)));

    WorkingSetReport report = set.report(List.of(HEAP, CODE, UNUSED, MORE_HEAP));

    assertThat(report.recordings()).isEqualTo(3);
    assertThat(report.rows())
        .extracting(WorkingSetReport.Row::region)
        .containsExactly("libjvm", "java heap");
    WorkingSetReport.Row code = report.rows().get(0);
    assertThat(code.filePages()).isEqualTo(4);
    assertThat(code.hitRate()).isEqualTo(1);
    assertThat(code.missRate()).isZero();
    WorkingSetReport.Row heap = report.rows().get(1);
    assertThat(heap.writtenPages()).isEqualTo(2);
    assertThat(heap.hitRate()).isEqualTo(5.0 / 6, within(1e-9));
    assertThat(heap.missedPages()).isEqualTo(1.0 / 3, within(1e-9));
    assertThat(heap.missRate()).isEqualTo(1.0 / 6, within(1e-9));
    assertThat(report.touched().written().pages()).isEqualTo(3);
    assertThat(report.regions()).containsExactly(HEAP, CODE);
  }

  @Test
  void addsUpRegionsOfOneNameAndShowsWhatIsOnlyMissed() {
    WorkingSet set = new WorkingSet();
    set.add(recording(pages(0x10000, 0x11000).or(pages(0x80000, 0x81000)), PageSet.empty()));
    set.add(recording(pages(0x10000, 0x11000).or(pages(0x80000, 0x81000)), PageSet.empty()));
    set.add(recording(pages(0x10000, 0x11000), pages(0x20000, 0x21000)));

    WorkingSetReport report = set.report(List.of(HEAP, CODE, MORE_HEAP));

    assertThat(report.rows().get(0).writtenPages()).isEqualTo(2);
    WorkingSetReport.Row code = report.rows().get(1);
    assertThat(code.filePages()).isZero();
    assertThat(code.missRate()).isEqualTo(1);
  }

  @Test
  void isEmptyWithoutRecordings() {
    WorkingSetReport report = new WorkingSet().report(List.of(HEAP));

    assertThat(report.rows()).isEmpty();
    assertThat(report.regions()).isEmpty();
  }

  private static PageSet pages(long start, long end) {
    return new PageSet.Builder().add(start, end).build();
  }

  private static Recording recording(PageSet written, PageSet file) {
    return new Recording(written, file);
  }
}
