package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.daemon.fake.ManualTime;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class ReplayTrialTest {
  private final ManualTime time = new ManualTime();
  private final ReplayTrial trial = new ReplayTrial(time);

  private void add(boolean replayed, int count, long nanos) {
    for (int i = 0; i < count; i++) {
      trial.add(replayed, nanos);
    }
    trial.judge();
  }

  private int replaysAmong(int calls) {
    int replays = 0;
    for (int i = 0; i < calls; i++) {
      replays += trial.next() ? 1 : 0;
    }
    return replays;
  }

  @Test
  void isOnAtFirstAndTriesWithoutNowAndThen() {
    assertThat(trial.next()).isTrue();
    assertThat(replaysAmong(160)).isEqualTo(150);
    assertThat(trial.measured().replayedNanos()).isEqualTo(OptionalLong.empty());
  }

  @Test
  void needsEnoughOfBoth() {
    add(true, Durations.WINDOW, 9_000);
    add(false, ReplayTrial.NEEDED - 1, 1_000);
    assertThat(trial.measured().on()).isTrue();
    add(false, 1, 1_000);
    assertThat(trial.measured().on()).isFalse();
  }

  @Test
  void isSwitchedOffWhereItCostsMoreAndOnAgainWhereItGains() {
    long began = trial.measured().sinceEpochMillis();
    add(true, ReplayTrial.NEEDED, 10_600);
    add(false, ReplayTrial.NEEDED, 10_000);
    time.advance(Duration.ofSeconds(1));
    assertThat(trial.measured().on()).isFalse();
    assertThat(replaysAmong(160)).as("tried again sometimes").isEqualTo(10);
    add(true, Durations.WINDOW, 9_800);
    assertThat(trial.measured().on()).as("between the margins it stays").isFalse();
    add(true, Durations.WINDOW, 9_500);
    assertThat(trial.measured().on()).isTrue();
    assertThat(trial.measured().switches()).isEqualTo(2);
    assertThat(trial.measured().sinceEpochMillis()).isGreaterThanOrEqualTo(began + 1_000);
    add(false, Durations.WINDOW, 9_100);
    assertThat(trial.measured().on()).as("between the margins it stays").isTrue();
  }

  @Test
  void outliersDecideNothing() {
    add(false, Durations.WINDOW, 10_000);
    add(true, Durations.WINDOW - 20, 9_000);
    add(true, 20, 10_000_000);
    assertThat(trial.measured().on()).isTrue();
  }
}
