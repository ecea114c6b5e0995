package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pilotlight describe}: all that the daemon knows of a function. */
@Command(name = "describe", description = "Tells a function's configuration and state.")
final class DescribeCommand implements Callable<Integer> {
  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "NAME", description = "The function's name.")
  private String name = "";

  @Override
  public Integer call() throws CliException {
    JsonNode function = daemon.client().function(name);
    output.print(function, () -> FunctionView.full(function));
    return 0;
  }
}
