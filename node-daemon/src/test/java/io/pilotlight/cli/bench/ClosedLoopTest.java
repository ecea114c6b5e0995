package io.pilotlight.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class ClosedLoopTest {
  /** Each reading of this clock is a millisecond after the one before. */
  private final BenchClock clock =
      new BenchClock() {
        private final AtomicLong now = new AtomicLong();

        @Override
        public long nanos() {
          return now.addAndGet(1_000_000);
        }

        @Override
        public void pause(Duration time) {}
      };

  @Test
  void countsWhatWasServedAndWhyOthersWereNot() throws InterruptedException {
    ClosedLoop loop = new ClosedLoop(clock, 2);

    ClosedLoop.Rate rate =
        loop.run(
            () ->
                n -> {
                  if (n % 4 == 3) {
                    throw new IOException("gone");
                  }
                  return n % 4 == 2 ? Optional.of("wrong") : Optional.empty();
                },
            Duration.ofMillis(100));

    assertThat(rate.served()).isBetween(40L, 60L);
    assertThat(rate.failures()).containsOnlyKeys("wrong", "java.io.IOException: gone");
    assertThat(rate.perSecond()).isPositive();
  }

  @Test
  void adds() {
    ClosedLoop.Rate sum =
        new ClosedLoop.Rate(10, 2, Map.of("a", 1))
            .plus(new ClosedLoop.Rate(30, 2, Map.of("a", 2, "b", 1)));

    assertThat(sum.perSecond()).isEqualTo(10);
    assertThat(sum.failures()).isEqualTo(Map.of("a", 3, "b", 1));
  }
}
