package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class ClockShiftTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long HUNDREDTH = SECOND / 100;

  private static ClockShift forward(long monotonic, long boot) {
    Residence frozen =
        new Residence(
            0, List.of(), new Residence.Leader(0, 0, 0, 0, "", 0, 0), List.of(), 0, 10, 10);
    return ClockShift.forward(frozen, new ClockShift(monotonic, boot));
  }

  @Test
  void clocksThatAreAheadStayAsTheyAre() {
    assertThat(forward(10, 10).isNone()).isTrue();
    assertThat(forward(11, 4711).isNone()).isTrue();
  }

  @Test
  void eachClockThatIsBehindIsPutForward() {
    assertThat(forward(3, 20)).isEqualTo(new ClockShift(7, 0));
    assertThat(forward(20, 3)).isEqualTo(new ClockShift(0, 7 + HUNDREDTH));
    assertThat(forward(3, 3).isNone()).isFalse();
  }

  @Test
  void offsetsAreWrittenAsTheKernelReadsThem() {
    assertThat(new ClockShift(3 * SECOND + 5, -1).offsets())
        .isEqualTo("monotonic 3 5\nboottime -1 999999999\n");
  }

  @Test
  void shiftsAreRelative() {
    ClockShift one = new ClockShift(7, 70);
    ClockShift other = new ClockShift(4, 50);
    assertThat(one.minus(other)).isEqualTo(new ClockShift(3, 20));
    assertThat(one.minus(other).plus(other)).isEqualTo(one);
  }
}
