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
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pilotlight image}: looks at images on disk. Needs no daemon. */
@Command(
    name = "image",
    description = "Looks at the images of zygotes in a data directory; needs no daemon.")
final class ImageCommand implements Runnable {
  private static final List<Column> COLUMNS =
      List.of(
          Column.text("image", "image"),
          Column.text("function", "function"),
          Column.text("version", "version"),
          Column.text("created", "created"),
          Column.bytes("size", "bytes"),
          Column.text("problem", "problem"));

  private final ObjectMapper mapper = new ObjectMapper();

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

    ImageStore store() {
      Path chosen = data == null ? DaemonCommand.defaultData() : data;
      return new ImageStore(chosen.resolve("images"));
    }

    List<Path> images() throws CliException {
      try {
        return store().images();
      } catch (IOException e) {
        throw new CliException("images cannot be listed: " + e);
      }
    }

    /** By its id, or by its directory. */
    Path image(String name) throws CliException {
      Path known = store().of(name);
      Path image = Files.isDirectory(known) ? known : Path.of(name);
      if (!Files.isDirectory(image)) {
        throw new CliException(
            "there is no image '" + name + "'; 'pilotlight image list' tells which there are");
      }
      return image;
    }
  }

  private ObjectNode row(Path image) {
    ObjectNode row = mapper.createObjectNode().put("image", String.valueOf(image.getFileName()));
    try {
      ImageSummary summary = ImageStore.summary(image);
      row.put("directory", image.toString());
      row.put("function", summary.subject().name());
      row.put("version", summary.subject().version());
      row.put("created", summary.created());
      row.put("bytes", summary.bytes());
      row.put("jvm", summary.subject().javaHome().toString());
      row.putNull("problem");
    } catch (ImageException e) {
      problem(row, e);
    }
    return row;
  }

  private static void problem(ObjectNode row, ImageException e) {
    row.put("reason", e.reason().name().toLowerCase(Locale.ROOT));
    row.put("problem", e.getMessage());
  }

  private ObjectNode verified(Path image) {
    ObjectNode row = row(image);
    if (row.get("problem").isNull()) {
      try {
        ImageStore.verify(image);
      } catch (ImageException e) {
        problem(row, e);
      }
    }
    return row;
  }

  @Command(name = "list", description = "Lists the images.")
  int list(@Mixin Location location, @Mixin Output output) throws CliException {
    ArrayNode rows = mapper.createArrayNode();
    location.images().forEach(image -> rows.add(row(image)));
    output.print(rows, () -> Column.table(rows, COLUMNS));
    return 0;
  }

  @Command(name = "inspect", description = "Prints all that an image says of itself.")
  int inspect(
      @Mixin Location location,
      @Mixin Output output,
      @Parameters(paramLabel = "IMAGE", description = "Its id, or its directory.") String name)
      throws CliException {
    Path manifest = location.image(name).resolve("manifest.json");
    try {
      var document = mapper.readTree(manifest.toFile());
      output.print(document, () -> Output.pretty(document));
      return 0;
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
    List<Path> images = name == null ? location.images() : List.of(location.image(name));
    images.forEach(image -> rows.add(verified(image)));
    output.print(rows, () -> Column.table(rows, COLUMNS));
    boolean good = rows.findValues("problem").stream().allMatch(problem -> problem.isNull());
    return good ? 0 : 1;
  }

  @Command(
      name = "prune",
      description = "Removes the images that cannot be restored here; clones of them live on.")
  int prune(@Mixin Location location, @Mixin Output output) throws CliException {
    ArrayNode removed = mapper.createArrayNode();
    for (Path image : location.images()) {
      ObjectNode row = verified(image);
      if (!row.get("problem").isNull()) {
        try {
          location.store().remove(image);
        } catch (IOException e) {
          throw new CliException(image + " cannot be removed: " + e);
        }
        removed.add(row);
      }
    }
    output.print(removed, () -> Column.table(removed, COLUMNS));
    return 0;
  }
}
