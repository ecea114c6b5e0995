package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

final class SettlingTest {
  /** How many calls are made if the latest compilation after so many calls is as given. */
  private static int calls(int wanted, IntUnaryOperator latest) {
    Settling settling = new Settling(wanted);
    int made = 0;
    while (settling.mayCall(made)) {
      made++;
      if (made % 100 == 0) {
        settling.idle(made, latest.applyAsInt(made));
      }
    }
    return made;
  }

  @Test
  void asManyAsWantedIfNothingIsCompiled() {
    assertThat(calls(2_000, made -> 7)).isEqualTo(2_000);
    assertThat(calls(0, made -> 7)).isZero();
    assertThat(calls(5, made -> 7)).isEqualTo(5);
  }

  @Test
  void goesOnUntilTheLastHundredsHaveCompiledNothing() {
    assertThat(calls(2_000, made -> Math.min(made, 1_700))).isEqualTo(2_800);
    assertThat(calls(2_000, made -> Math.min(made, 2_900))).isEqualTo(4_000);
  }

  @Test
  void doesNotGoOnForEver() {
    assertThat(calls(2_000, made -> made)).isEqualTo(8_000);
  }

  @Test
  void whatCannotBeToldIsNotWaitedFor() {
    assertThat(calls(2_000, made -> 0)).isEqualTo(2_000);
  }
}
