package io.pilotlight.daemon.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.daemon.http.InFlight.Admission;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class InFlightTest {
  private final InFlight inFlight = new InFlight(2);

  @Test
  void admitsUpToItsLimit() {
    assertThat(inFlight.enter()).isEqualTo(Admission.ADMITTED);
    assertThat(inFlight.enter()).isEqualTo(Admission.ADMITTED);
    assertThat(inFlight.enter()).isEqualTo(Admission.FULL);
    inFlight.leave();
    assertThat(inFlight.enter()).isEqualTo(Admission.ADMITTED);
    assertThat(inFlight.count()).isEqualTo(2);
  }

  @Test
  void waitsForWhatWasAdmittedBeforeTheEnd() throws Exception {
    inFlight.enter();
    inFlight.drain();
    assertThat(inFlight.enter()).isEqualTo(Admission.DRAINING);
    assertThat(inFlight.awaitIdle(Duration.ZERO)).isFalse();
    inFlight.leave();
    assertThat(inFlight.awaitIdle(Duration.ZERO)).isTrue();
  }

  @Test
  void isIdleAtOnceWhenNothingRuns() throws Exception {
    inFlight.drain();
    assertThat(inFlight.awaitIdle(Duration.ZERO)).isTrue();
  }
}
