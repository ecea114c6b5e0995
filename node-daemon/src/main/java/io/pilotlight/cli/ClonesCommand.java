package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pilotlight clones}: lists the processes that serve or wait. */
@Command(name = "clones", description = "Lists the processes that serve or wait.")
final class ClonesCommand implements Callable<Integer> {
  private static final List<Column> COLUMNS =
      List.of(
          Column.text("id", "id"),
          Column.text("function", "function"),
          Column.number("pid", "pid"),
          Column.text("state", "state"),
          Column.text("start", "start"),
          Column.number("served", "served"),
          Column.bytes("private", "privateBytes"));

  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Override
  public Integer call() throws CliException {
    JsonNode list = daemon.client().list("/v1/clones");
    output.print(list, () -> Column.table(list, COLUMNS));
    return 0;
  }
}
