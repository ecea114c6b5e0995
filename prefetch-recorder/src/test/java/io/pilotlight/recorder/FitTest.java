package io.pilotlight.recorder;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FitTest {
  private static PageSet pages(long first, long count) {
    return new PageSet.Builder()
        .add(first * PageSet.PAGE_BYTES, (first + count) * PageSet.PAGE_BYTES)
        .build();
  }

  @Test
  void countsWhatWasUsedUnusedAndMissedOfBothKinds() {
    Recording set = new Recording(pages(0, 10), pages(100, 4));
    Recording call = new Recording(pages(8, 5), pages(100, 6));
    assertThat(Fit.of(set, call)).isEqualTo(new Fit(2 + 4, 8, 3 + 2));
    assertThat(Fit.of(set, set)).isEqualTo(new Fit(14, 0, 0));
    assertThat(Fit.of(set, call).plus(Fit.of(set, set))).isEqualTo(new Fit(20, 8, 5));
  }

  @Test
  void aPageThatIsWrittenIsNotTheSameAsOneThatIsRead() {
    Recording written = new Recording(pages(0, 3), PageSet.empty());
    Recording read = new Recording(PageSet.empty(), pages(0, 3));
    assertThat(Fit.of(written, read)).isEqualTo(new Fit(0, 3, 3));
  }
}
