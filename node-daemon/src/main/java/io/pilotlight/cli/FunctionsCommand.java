package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pilotlight functions}: lists what is deployed. */
@Command(name = "functions", description = "Lists the functions.")
final class FunctionsCommand implements Callable<Integer> {
  private static final List<Column> COLUMNS =
      List.of(
          Column.text("name", "name"),
          Column.text("version", "version"),
          Column.text("state", "state"),
          Column.text("handler", "handler"),
          Column.text("one-shot", "oneShot"),
          Column.number("running", "running"),
          Column.bytes("zygote", "zygote/residentBytes"));

  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Override
  public Integer call() throws CliException {
    JsonNode list = daemon.client().list("/v1/functions");
    output.print(list, () -> Column.table(list, COLUMNS));
    return 0;
  }
}
