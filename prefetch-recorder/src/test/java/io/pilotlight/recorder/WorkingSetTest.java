package io.pilotlight.recorder;

import static io.pilotlight.recorder.PageSetTest.pages;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WorkingSetTest {
  private final WorkingSet set = new WorkingSet();

  @Test
  void isEmptyAtFirst() {
    assertThat(set.recordings()).isZero();
    assertThat(set.usual()).isEqualTo(new Recording(PageSet.empty(), PageSet.empty()));
  }

  @Test
  void oneRecordingIsBelievedWhole() {
    set.add(new Recording(pages(1, 3), pages(8, 9)));
    assertThat(set.usual()).isEqualTo(new Recording(pages(1, 3), pages(8, 9)));
  }

  @Test
  void oneOddCallAddsNothing() {
    for (int i = 0; i < 3; i++) {
      set.add(new Recording(pages(1, 3), pages(8, 9)));
    }
    set.add(new Recording(pages(2, 1000), pages(8, 9, 20, 5000)));
    assertThat(set.usual()).isEqualTo(new Recording(pages(1, 3), pages(8, 9)));
  }

  @Test
  void halfOfTheRecordingsAreEnough() {
    set.add(new Recording(pages(1, 2), PageSet.empty()));
    set.add(new Recording(pages(5, 6), PageSet.empty()));
    assertThat(set.usual().written()).isEqualTo(pages(1, 2, 5, 6));
  }

  @Test
  void oldRecordingsAreForgotten() {
    for (int i = 0; i < WorkingSet.MAX_RECORDINGS; i++) {
      set.add(new Recording(pages(1, 2), PageSet.empty()));
    }
    for (int i = 0; i < WorkingSet.MAX_RECORDINGS; i++) {
      set.add(new Recording(pages(5, 6), PageSet.empty()));
    }
    assertThat(set.recordings()).isEqualTo(WorkingSet.MAX_RECORDINGS);
    assertThat(set.usual().written()).isEqualTo(pages(5, 6));
  }
}
