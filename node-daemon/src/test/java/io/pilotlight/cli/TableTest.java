package io.pilotlight.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class TableTest {
  private final Table table = new Table("start", ">calls").row("fork", 7).row("cold", 1000);

  @Test
  void alignsColumns() {
    assertThat(table.plain())
        .isEqualTo(
            """
            start  calls
            fork       7
            cold    1000
            """);
  }

  @Test
  void isMarkdown() {
    assertThat(table.markdown())
        .isEqualTo(
            """
            | start | calls |
            |:------|------:|
            | fork  |     7 |
            | cold  |  1000 |
            """);
  }

  @Test
  void refusesARowOfAnotherLength() {
    assertThatThrownBy(() -> table.row("warm")).hasMessage("1 cells for 2");
  }
}
