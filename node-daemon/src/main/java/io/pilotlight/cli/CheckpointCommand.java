package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.cli.program.ControlSocket;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight checkpoint}: freezes a program that runs under management into an image. */
@Command(
    name = "checkpoint",
    description =
        "Writes a program that runs under 'pilotlight run' or 'pilotlight restore' to an image. It"
            + " ends with that, unless it is to keep running.")
final class CheckpointCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Parameters(
      paramLabel = "PID",
      description = "The program's process, or that of 'pilotlight run'.")
  private long pid;

  @Option(
      names = "--image",
      paramLabel = "DIR",
      required = true,
      description = "A directory that is made for the image.")
  @SuppressWarnings("NullAway.Init") // required
  private Path image;

  @Option(names = "--keep-running", description = "The program goes on when its image is written.")
  private boolean keepRunning;

  @Override
  public Integer call() throws CliException {
    JsonNode answer =
        ControlSocket.ask(pid, image.toAbsolutePath().normalize(), keepRunning, System.getenv());
    output.print(
        answer,
        () ->
            "process "
                + pid
                + " is in "
                + answer.path("image").asText()
                + ", "
                + Units.mebibytes(answer.path("bytes").asLong()));
    return 0;
  }
}
