package io.pilotlight.cli;

import io.pilotlight.cli.program.Management;
import io.pilotlight.cli.program.RuntimeDirectory;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.Program;
import io.pilotlight.zygote.ProgramHost;
import io.pilotlight.zygote.ProgramHost.Surroundings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight restore}: a program from its image. */
@Command(
    name = "restore",
    description = {
      "Makes a program from its image; as many at once as are wanted.",
      "Standard streams, environment and signals are this command's, the exit status is the"
          + " program's, as with 'pilotlight run'."
    })
final class RestoreCommand implements Callable<Integer> {
  @Mixin private final Management management = new Management();

  @Option(
      names = "-D",
      paramLabel = "NAME=VALUE",
      description = "Sets a system property in it before it goes on.")
  private final Map<String, String> properties = new HashMap<>();

  @Parameters(index = "0", paramLabel = "DIR", description = "The image.")
  @SuppressWarnings("NullAway.Init") // required
  private Path image;

  @Parameters(
      index = "1..*",
      paramLabel = "CLASS ARGUMENT...",
      description =
          "Behind '--': a class whose main(String[]) it runs, with these arguments, before it goes"
              + " on where it was frozen.")
  private final List<String> arguments = List.of();

  @Override
  public Integer call() throws CliException {
    Path directory = RuntimeDirectory.own(System.getenv());
    try (ProgramHost host = new ProgramHost(directory, Installation.agent())) {
      Program program =
          host.restore(
              image.toAbsolutePath().normalize(),
              new Surroundings(System.getenv(), properties, arguments),
              management.checkpoints());
      return Management.await(program, directory);
    } catch (ImageException | IOException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted; nothing was restored");
    }
  }
}
