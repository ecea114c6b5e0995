package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.bench.BenchClock;
import io.pilotlight.cli.bench.Example;
import io.pilotlight.cli.bench.Series;
import io.pilotlight.cli.bench.StartsReport;
import io.pilotlight.cli.bench.StartsRun;
import io.pilotlight.cli.bench.Variant;
import io.pilotlight.cli.bench.Workload;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pilotlight demo}: real functions, by each kind of start, side by side. */
@Command(
    name = "demo",
    description =
        "Starts a daemon of its own, deploys the examples, invokes each by a cold JVM, its image, a"
            + " fork, a pooled fork and a warm process, checks the answers, compares, and stops.")
final class DemoCommand implements Callable<Integer> {
  private static final int ANSWER_CHARACTERS = 100;
  private static final StartsRun.Plan PLAN =
      new StartsRun.Plan(
          List.of(Start.COLD, Start.RESTORE, Start.FORK, Start.POOL, Start.WARM),
          List.of(Variant.USUAL),
          20,
          30,
          3,
          Duration.ofMillis(Long.parseLong(StartsRun.DEFAULT_GAP_MILLIS)));

  @Mixin private final Output output = new Output();

  @Override
  public Integer call() throws CliException {
    Path home = Installation.home();
    Map<Example, StartsReport> reports = new EnumMap<>(Example.class);
    try (StandaloneDaemon daemon = StandaloneDaemon.start()) {
      output.line("A daemon listens on " + daemon.uri() + ", for this demo only.");
      DaemonClient client = new DaemonClient(DaemonAccess.open(daemon.uri()));
      for (Example example : Example.values()) {
        reports.put(example, show(client, example, home));
      }
    }
    output.line("");
    output.print(document(reports), () -> text(reports));
    return reports.values().stream()
            .flatMap(report -> report.series().stream())
            .allMatch(series -> series.failed() == 0 && series.count() > 0)
        ? 0
        : 1;
  }

  private StartsReport show(DaemonClient client, Example example, Path home) throws CliException {
    String name = example.functionName();
    output.line("\n" + name + ": starting a JVM, warming the function, freezing it ...");
    new DeployProgress(client, output::note, Terminal.ofProcess(false))
        .run(name, example.definition(home));
    Workload workload = example.workload(home);
    DaemonClient.Answer answer = client.invoke(name, workload.payload(1), Start.FORK);
    output.line("  a fork of it answers: " + shortened(answer.body()));
    StartsReport report =
        new StartsReport(
            new StartsRun(
                    client,
                    BenchClock.SYSTEM,
                    workload,
                    new StartsRun.Functions(Map.of(Variant.USUAL, name), name))
                .run(PLAN));
    client.remove(name);
    return report;
  }

  private static String shortened(byte[] body) {
    String text = new String(body, StandardCharsets.UTF_8);
    return text.length() <= ANSWER_CHARACTERS
        ? text
        : text.substring(0, ANSWER_CHARACTERS) + "... (" + text.length() + " characters)";
  }

  private static ObjectNode document(Map<Example, StartsReport> reports) {
    ObjectNode document = new ObjectMapper().createObjectNode();
    ArrayNode functions = document.putArray("functions");
    reports.forEach(
        (example, report) -> {
          ObjectNode function = functions.addObject().put("function", example.functionName());
          report.document(function.putArray("results"));
        });
    return document;
  }

  private static String text(Map<Example, StartsReport> reports) {
    Table table =
        new Table(
            "function",
            "start",
            ">calls",
            ">failed",
            ">start p50",
            ">handler p50",
            ">total p50",
            ">against cold");
    reports.forEach(
        (example, report) -> {
          for (Series series : report.series()) {
            table.row(
                example.functionName(),
                series.start(),
                series.count(),
                series.failed(),
                Units.duration(series.startSeconds(50)),
                Units.duration(series.handlerSeconds(50)),
                Units.duration(series.totalSeconds(50)),
                report.againstCold(series));
          }
        });
    return table.markdown()
        + """

        cold: a new JVM.  restore: a clone of the warmed JVM's image on disk.
        fork: the warmed JVM, forked for this call.  pool: forked before it.
        warm: a process that had served before.  Every answer was checked.
        start: request accepted to handler entered.  total: the client's first byte to its last.
        A few calls on a busy machine: 'pilotlight bench orders --standalone' measures properly.
        """;
  }
}
