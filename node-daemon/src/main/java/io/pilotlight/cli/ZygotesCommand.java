package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pilotlight zygotes}: lists the frozen JVMs. */
@Command(name = "zygotes", description = "Lists the frozen JVMs that clones are made from.")
final class ZygotesCommand implements Callable<Integer> {
  private static final List<Column> COLUMNS =
      List.of(
          Column.text("id", "id"),
          Column.text("function", "function"),
          Column.text("version", "version"),
          Column.number("pid", "pid"),
          Column.text("state", "state"),
          Column.text("kind", "kind"),
          Column.number("threads", "threads"),
          Column.bytes("resident", "residentBytes"),
          Column.text("adopted", "adopted"));

  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Override
  public Integer call() throws CliException {
    JsonNode list = daemon.client().list("/v1/zygotes");
    output.print(list, () -> Column.table(list, COLUMNS));
    return 0;
  }
}
