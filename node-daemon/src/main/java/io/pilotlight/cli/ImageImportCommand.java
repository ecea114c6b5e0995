package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.DaemonException;
import io.pilotlight.daemon.DataDirectory;
import io.pilotlight.daemon.function.AllowedRoots;
import io.pilotlight.daemon.function.ConflictException;
import io.pilotlight.daemon.function.DefinitionStore;
import io.pilotlight.daemon.function.ImageImport;
import io.pilotlight.daemon.function.InvalidFieldException;
import io.pilotlight.daemon.function.JarStore;
import io.pilotlight.daemon.function.JsonFields;
import io.pilotlight.daemon.function.SettingsJson;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.ImageArchiveReader;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight image import}: what {@code image export} wrote. */
@Command(
    name = "import",
    description = {
      "Takes a function with its image into a data directory; the daemon that is started on it next"
          + " restores it, without running its code. Every byte is checked, and an image that"
          + " cannot run here is refused with what differs.",
      "No daemon may be using the data directory, and it must be at the path of the one that the"
          + " image comes from, as must be the JDK and Pilotlight itself, of the same builds."
    })
final class ImageImportCommand implements Callable<Integer> {
  @Mixin private final ImageCommand.Location location = new ImageCommand.Location();
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "FILE", description = "What was exported.")
  private Path file = Path.of("");

  @Option(
      names = "--secret",
      paramLabel = "K=V|K=@FILE",
      description = "The value of one of the function's secrets; each is needed.")
  private Map<String, String> secrets = Map.of();

  @Option(
      names = "--replace",
      description = "The same function or image may be there; the imported one takes its place.")
  private boolean replace;

  @Option(
      names = "--image",
      paramLabel = "DIR",
      description = "The image is a program's, and is to have this directory.")
  private @Nullable Path directory;

  @Override
  public Integer call() throws CliException {
    try {
      ImageSummary image = directory == null ? function() : program(directory);
      var row = new ImageRows().row(image);
      output.print(
          row,
          () ->
              "image %s of %s, version %s, is %s"
                  .formatted(
                      image.zygote(),
                      image.subject().name(),
                      image.subject().version(),
                      image.directory()));
      return 0;
    } catch (LinkageError e) {
      throw ImageExportCommand.noZstd(e);
    } catch (ImageException
        | ConflictException
        | InvalidFieldException
        | DaemonException
        | IOException e) {
      String why = e instanceof IOException ? e.toString() : e.getMessage();
      throw new CliException(file + " was not imported: " + why);
    }
  }

  private ImageSummary function()
      throws CliException,
          ImageException,
          ConflictException,
          InvalidFieldException,
          DaemonException,
          IOException {
    Map<String, String> values = new HashMap<>();
    for (Map.Entry<String, String> secret : secrets.entrySet()) {
      values.put(secret.getKey(), DeployCommand.secret(secret.getValue()));
    }
    try (DataDirectory data = DataDirectory.open(location.data())) {
      ImageStore images = new ImageStore(data.images());
      images.open();
      ObjectMapper json = JsonFields.strictMapper();
      JarStore jars = new JarStore(data.jars());
      DefinitionStore definitions = definitions(data, jars, json);
      return new ImageImport(images, jars, definitions, json).run(file, values, replace);
    }
  }

  /** Stored definitions have every field: there is no default to be found out. */
  static DefinitionStore definitions(DataDirectory data, JarStore jars, ObjectMapper json)
      throws IOException {
    SettingsJson settings =
        new SettingsJson(
            Path.of(System.getProperty("java.home")),
            AllowedRoots.everywhere(),
            () -> Isolation.NONE);
    return new DefinitionStore(data.functions(), jars, settings, json);
  }

  private ImageSummary program(Path target) throws ImageException, IOException {
    try (ImageArchiveReader reader = new ImageArchiveReader(file)) {
      reader.requireHere();
      return reader.image(target.toAbsolutePath(), replace);
    }
  }
}
