package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight workingset}: what first calls of a function touch. */
@Command(
    name = "workingset",
    description = {
      "Shows which memory first calls of a function touch, by region: what its clones replay before"
          + " they are called.",
      "hit: of the pages that are replayed, the share that a call touches. missed: pages that a"
          + " call touches beside them. Both are means over the latest recordings, 16 at most."
    })
final class WorkingSetCommand implements Callable<Integer> {
  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "NAME", description = "The function's name.")
  private String name = "";

  @Option(
      names = "--png",
      paramLabel = "FILE",
      description = "Also draw the address space as a map of touched, replayed and missed pages.")
  private @Nullable Path png;

  @Override
  public Integer call() throws CliException {
    JsonNode set = daemon.client().workingSet(name);
    output.print(set, () -> text(set));
    if (png != null) {
      try {
        WorkingSetMap.of(set).write(png);
      } catch (IOException e) {
        throw new CliException("--png '" + png + "' cannot be written: " + e);
      }
      output.note("map of the address space: " + png);
    }
    return 0;
  }

  private static String text(JsonNode set) {
    Table table =
        new Table("region", ">written", ">file", ">bytes", ">hit", ">missed", ">miss rate");
    long written = 0;
    long file = 0;
    double missed = 0;
    for (JsonNode row : set.path("regions")) {
      written += row.path("writtenPages").asLong();
      file += row.path("filePages").asLong();
      missed += row.path("missedPages").asDouble();
      table.row(
          row.path("region").asText(),
          row.path("writtenPages").asLong(),
          row.path("filePages").asLong(),
          Units.mebibytes(row.path("bytes").asLong()),
          percent(row.path("hitRate").asDouble()),
          decimal(row.path("missedPages").asDouble()),
          percent(row.path("missRate").asDouble()));
    }
    return "%d first calls of %s recorded: %d pages written, %d of files, %s missed by a call%n%n"
            .formatted(
                set.path("recordings").asInt(),
                set.path("function").asText(),
                written,
                file,
                decimal(missed))
        + table.plain();
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", share * 100);
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
