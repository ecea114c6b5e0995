package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class AdmissionTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(1);

  private final Admission admission = new Admission();

  @Test
  void whatBeganIsWaitedFor() throws Exception {
    admission.begin();
    admission.begin();
    admission.close();
    admission.end();
    assertThat(admission.awaitEnd(SHORT)).isFalse();
    CompletableFuture<Void> end = CompletableFuture.runAsync(admission::end);
    assertThat(admission.awaitEnd(LONG)).isTrue();
    end.join();
  }

  @Test
  void nothingBeginsOnceClosed() throws Exception {
    admission.begin();
    admission.close();
    assertThatThrownBy(admission::begin).hasMessageContaining("stopping");
    admission.end();
    assertThat(admission.awaitEnd(LONG)).isTrue();
    assertThatThrownBy(admission::begin).hasMessageContaining("stopping");
  }

  @Test
  void nothingHasToBegin() throws Exception {
    admission.begin();
    admission.end();
    admission.close();
    assertThat(admission.awaitEnd(LONG)).isTrue();
  }
}
