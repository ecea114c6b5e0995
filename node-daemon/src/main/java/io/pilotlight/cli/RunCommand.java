package io.pilotlight.cli;

import io.pilotlight.cli.program.JavaCommandLine;
import io.pilotlight.cli.program.Management;
import io.pilotlight.cli.program.RuntimeDirectory;
import io.pilotlight.zygote.Program;
import io.pilotlight.zygote.ProgramHost;
import io.pilotlight.zygote.ProgramSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pilotlight run}: any Java program, under management. */
@Command(
    name = "run",
    description = {
      "Runs a Java program that can be written to an image, by itself or by 'pilotlight checkpoint'.",
      "Standard streams and environment are passed on to it, and so are signals. The exit status is"
          + " the program's; 128 and the signal's number if one ended it, as a checkpoint does (137)."
    })
final class RunCommand implements Callable<Integer> {
  @Mixin private final Management management = new Management();

  @Parameters(
      arity = "1..*",
      paramLabel = "java ...",
      description = "The command line of a JDK's java launcher; behind '--'.")
  @SuppressWarnings("NullAway.Init") // picocli sets it before call()
  private List<String> command;

  @Override
  public Integer call() throws CliException {
    ProgramSpec spec =
        JavaCommandLine.program(command, Path.of("").toAbsolutePath(), System.getenv().get("PATH"));
    Path directory = RuntimeDirectory.own(System.getenv());
    try (ProgramHost host = new ProgramHost(directory, Installation.agent())) {
      Program program = host.start(spec, System.getenv(), management.checkpoints());
      return Management.await(program, directory);
    } catch (IOException e) {
      throw new CliException(
          "'" + String.join(" ", command) + "' could not be started: " + e.getMessage());
    }
  }
}
