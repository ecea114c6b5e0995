package io.pilotlight.cli;

import io.pilotlight.cli.program.Management;
import io.pilotlight.cli.program.Restoration;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code pilotlight restore}: a program from its image. {@link
 * io.pilotlight.cli.program.RestoreLine} reads the same options.
 */
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
    return restoration().run(Installation.agent());
  }

  /** What it was told. */
  Restoration restoration() {
    return new Restoration(image, properties, arguments, management);
  }
}
