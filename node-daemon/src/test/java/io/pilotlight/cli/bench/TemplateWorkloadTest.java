package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TemplateWorkloadTest {
  private final TemplateWorkload workload =
      new TemplateWorkload("{\"id\": \"{{n}}\"}".getBytes(UTF_8));

  @Test
  void putsTheNumberIn() {
    assertThat(workload.payload(7)).asString().isEqualTo("{\"id\": \"7\"}");
  }

  @Test
  void wantsTheFieldsOfTheFirstAnswer() {
    assertThat(workload.problem(0, "{\"a\": 1, \"b\": 2}".getBytes(UTF_8))).isEmpty();
    assertThat(workload.problem(1, "{\"b\": 9, \"a\": 8}".getBytes(UTF_8))).isEmpty();
    assertThat(workload.problem(2, "{\"error\": 1}".getBytes(UTF_8)))
        .hasValue("fields [error] where the first answer had [a, b]");
    assertThat(workload.problem(3, "oops".getBytes(UTF_8))).isPresent();
  }
}
