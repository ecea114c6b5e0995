package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pilotlight remove}: takes a function off the daemon. */
@Command(name = "remove", description = "Removes a function, its zygote and its clones.")
final class RemoveCommand implements Callable<Integer> {
  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "NAME", description = "The function's name.")
  private String name = "";

  @Override
  public Integer call() throws CliException {
    daemon.client().remove(name);
    output.print(
        new ObjectMapper().createObjectNode().put("removed", name), () -> "removed " + name);
    return 0;
  }
}
