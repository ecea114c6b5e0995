package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.doctor.Doctor;
import io.pilotlight.cli.doctor.Finding;
import io.pilotlight.cli.doctor.HostFiles;
import io.pilotlight.zygote.ConfinementPolicy;
import io.pilotlight.zygote.IsolationSupport;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pilotlight doctor}: what works here, what does not, what to do about it. */
@Command(
    name = "doctor",
    description =
        "Looks at kernel, capabilities, limits and JDKs: what works here, what does not, and what"
            + " to do about it. Fails if forks cannot work.")
final class DoctorCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Override
  public Integer call() {
    List<Finding> findings =
        new Doctor(
                new HostFiles(Path.of("/")),
                System.getenv(),
                new IsolationSupport(ConfinementPolicy.hiding(List.of()))::obstacle)
            .examine();
    boolean canFork =
        findings.stream().noneMatch(finding -> finding.verdict() == Finding.Verdict.MISSING);
    output.print(document(findings, canFork), () -> text(findings, canFork));
    return canFork ? 0 : 1;
  }

  private static ObjectNode document(List<Finding> findings, boolean canFork) {
    ObjectNode document = new ObjectMapper().createObjectNode().put("canFork", canFork);
    ArrayNode checks = document.putArray("checks");
    for (Finding finding : findings) {
      checks
          .addObject()
          .put("check", finding.check())
          .put("found", finding.found())
          .put("verdict", word(finding))
          .put("advice", finding.advice());
    }
    return document;
  }

  private static String text(List<Finding> findings, boolean canFork) {
    Table table = new Table("check", "found", "verdict", "what to do");
    for (Finding finding : findings) {
      table.row(finding.check(), finding.found(), word(finding), finding.advice());
    }
    return table.plain()
        + "\n"
        + (canFork ? "Forks can work here." : "Forks cannot work here: see 'missing'.");
  }

  private static String word(Finding finding) {
    return finding.verdict().name().toLowerCase(Locale.ROOT);
  }
}
