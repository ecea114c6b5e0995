package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pilotlight image}: images on disk. Needs no daemon. */
@Command(
    name = "image",
    description =
        "Looks at the images in a data directory, ships and removes them; needs no daemon.",
    subcommands = {ImageExportCommand.class, ImageImportCommand.class, ImagePruneCommand.class})
final class ImageCommand implements Runnable {
  private final ObjectMapper mapper = new ObjectMapper();
  private final ImageRows images = new ImageRows();

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before run()
  private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command of image is missing.");
  }

  /** Where images are. */
  static final class Location {
    @Option(
        names = "--data",
        paramLabel = "DIR",
        description = "The daemon's data directory (default: as for 'pilotlight daemon').")
    private @Nullable Path data;

    Path data() {
      return data == null ? DaemonCommand.defaultData() : data;
    }

    ImageStore store() {
      return new ImageStore(data().resolve("images"));
    }

    List<Path> images() throws CliException {
      try {
        return store().images();
      } catch (IOException e) {
        throw new CliException("images cannot be listed: " + e);
      }
    }

    /** By its id, by its function, or by its directory. */
    Path image(String name) throws CliException {
      Path known = store().of(name);
      if (Files.isDirectory(known)) {
        return known;
      }
      Optional<Path> newest =
          images().stream()
              .flatMap(image -> summary(image).stream())
              .filter(summary -> summary.subject().name().equals(name))
              .max(Comparator.comparing(ImageSummary::created))
              .map(ImageSummary::directory);
      Path image = newest.orElse(Path.of(name));
      if (!Files.isDirectory(image)) {
        throw new CliException(
            "there is no image '" + name + "'; 'pilotlight image list' tells which there are");
      }
      return image;
    }

    private static Optional<ImageSummary> summary(Path image) {
      try {
        return Optional.of(ImageStore.summary(image));
      } catch (ImageException e) {
        return Optional.empty(); // It cannot say whose it is.
      }
    }
  }

  @Command(name = "list", description = "Lists the images.")
  int list(@Mixin Location location, @Mixin Output output) throws CliException {
    ArrayNode rows = mapper.createArrayNode();
    location.images().forEach(image -> rows.add(images.row(image)));
    output.print(rows, () -> Column.table(rows, ImageRows.COLUMNS));
    return 0;
  }

  @Command(name = "inspect", description = "Prints all that an image says of itself.")
  int inspect(
      @Mixin Location location,
      @Mixin Output output,
      @Parameters(paramLabel = "IMAGE", description = "Its id, its function, or its directory.")
          String name)
      throws CliException {
    Path image = location.image(name);
    Path manifest = image.resolve("manifest.json");
    try {
      ImageSummary summary = ImageStore.summary(image); // It is a manifest of this version.
      ObjectNode document = (ObjectNode) mapper.readTree(manifest.toFile());
      ObjectNode sizes = document.putObject("sizes");
      sizes.put("bytes", summary.bytes()).put("storedBytes", summary.storedBytes());
      output.print(document, () -> Output.pretty(document));
      return 0;
    } catch (ImageException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new CliException(manifest + " cannot be read: " + e);
    }
  }

  @Command(
      name = "verify",
      description =
          "Reads all of the images, or of one, and tells whether they could be restored here.")
  int verify(
      @Mixin Location location,
      @Mixin Output output,
      @Parameters(paramLabel = "IMAGE", arity = "0..1", description = "Only this one.")
          @Nullable String name)
      throws CliException {
    ArrayNode rows = mapper.createArrayNode();
    List<Path> chosen = name == null ? location.images() : List.of(location.image(name));
    chosen.forEach(image -> rows.add(images.verified(image)));
    output.print(rows, () -> Column.table(rows, ImageRows.COLUMNS));
    boolean good = rows.findValues("problem").stream().allMatch(problem -> problem.isNull());
    return good ? 0 : 1;
  }
}
