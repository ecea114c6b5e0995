package io.pilotlight.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ProgramReportTest {
  private static final long MILLISECOND = 1_000_000;

  private static ProgramReport report() {
    ProgramReport.Times cold = new ProgramReport.Times("cold");
    ProgramReport.Times restore = new ProgramReport.Times("restore");
    cold.add(2_000 * MILLISECOND);
    restore.add(40 * MILLISECOND);
    restore.add(40 * MILLISECOND);
    restore.add(80 * MILLISECOND);
    return new ProgramReport(List.of(cold, restore, new ProgramReport.Times("never")), 3L << 20);
  }

  @Test
  void holdsEachAgainstTheFirst() {
    List<String> lines = report().text().lines().map(line -> line.replace(" ", "")).toList();
    assertThat(lines.get(0)).endsWith("|againstcold|");
    assertThat(lines.get(2)).startsWith("|cold|1|2.00s|").endsWith("|1.0x|");
    assertThat(lines.get(3)).startsWith("|restore|3|40.0ms|80.").endsWith("|50x|");
    assertThat(lines.get(4)).isEqualTo("|never|0|-|-|-|-|-|");
    assertThat(report().text()).contains("3.00 MiB");
  }

  @Test
  void isADocument() {
    ObjectNode document = new ObjectMapper().createObjectNode();
    report().document(document);
    assertThat(document.get("imageBytes").asLong()).isEqualTo(3L << 20);
    assertThat(document.at("/results/1/start").asText()).isEqualTo("restore");
    assertThat(document.at("/results/1/count").asInt()).isEqualTo(3);
    assertThat(document.at("/results/1/firstAnswerSeconds/max").asDouble()).isBetween(0.08, 0.081);
  }
}
