package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.daemon.function.ForkComparison.Verdict;
import io.pilotlight.daemon.pool.Start;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ForkComparisonTest {
  private final ForkComparison comparison = new ForkComparison();

  private void add(Start start, int count, long nanos) {
    for (int i = 0; i < count; i++) {
      comparison.add(start, nanos);
    }
  }

  private Map<Start, Integer> next(int times) {
    Map<Start, Integer> counts = new EnumMap<>(Start.class);
    for (int i = 0; i < times; i++) {
      counts.merge(comparison.next(), 1, Integer::sum);
    }
    return counts;
  }

  @Test
  void takesTurnsWhileNothingIsKnown() {
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.UNDECIDED);
    assertThat(comparison.next()).isEqualTo(Start.FORK);
    assertThat(comparison.next()).isEqualTo(Start.RESTORE);
    assertThat(next(100)).containsEntry(Start.FORK, 50).containsEntry(Start.RESTORE, 50);
  }

  @Test
  void needsEnoughOfBoth() {
    add(Start.FORK, ForkComparison.WINDOW, 1_000);
    add(Start.RESTORE, ForkComparison.NEEDED - 1, 9_000);
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.UNDECIDED);
    add(Start.RESTORE, 1, 9_000);
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.PAYS);
  }

  @Test
  void paysFromTheMarginOn() {
    add(Start.RESTORE, ForkComparison.NEEDED, 10_000);
    add(Start.FORK, ForkComparison.NEEDED, 8_000);
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.PAYS);
    add(Start.FORK, ForkComparison.WINDOW, 8_001);
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.DOES_NOT_PAY);
  }

  @Test
  void outliersDecideNothing() {
    add(Start.RESTORE, ForkComparison.WINDOW, 10_000);
    add(Start.FORK, ForkComparison.WINDOW - 20, 5_000);
    add(Start.FORK, 20, 10_000_000);
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.PAYS);
  }

  @Test
  void goesOnMeasuringTheOtherOne() {
    add(Start.RESTORE, ForkComparison.NEEDED, 10_000);
    add(Start.FORK, ForkComparison.NEEDED, 1_000);
    comparison.measured();
    assertThat(next(160)).containsEntry(Start.FORK, 150).containsEntry(Start.RESTORE, 10);
    // What happened long ago is forgotten.
    add(Start.FORK, ForkComparison.WINDOW, 11_000);
    assertThat(comparison.measured().verdict()).isEqualTo(Verdict.DOES_NOT_PAY);
    assertThat(next(160)).containsEntry(Start.FORK, 10).containsEntry(Start.RESTORE, 150);
  }
}
