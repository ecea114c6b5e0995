package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageArchiveReader;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageException.Reason;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Takes a function with its image into a data directory that no daemon uses at the moment. The next
 * daemon restores it: none of its code runs before its first call. A failure leaves nothing.
 */
public final class ImageImport {
  private final ImageStore images;
  private final JarStore jars;
  private final DefinitionStore definitions;
  private final ObjectMapper json;

  /** Of the stores of one data directory. */
  public ImageImport(
      ImageStore images, JarStore jars, DefinitionStore definitions, ObjectMapper json) {
    this.images = images;
    this.jars = jars;
    this.definitions = definitions;
    this.json = json;
  }

  /**
   * Imports.
   *
   * @param archive the exported file
   * @param secrets values of the function's secrets
   * @param replace whether a function of the same name, and this image, may be there
   * @throws ImageException if the file is damaged, or the image cannot be restored here and now,
   *     saying what differs
   * @throws ConflictException if the function, or a jar that the image knows otherwise, is there
   * @throws InvalidFieldException if what is said of the function cannot be, or secrets are missing
   * @throws IOException if something cannot be read or written
   */
  public ImageSummary run(Path archive, Map<String, String> secrets, boolean replace)
      throws ImageException, ConflictException, InvalidFieldException, IOException {
    try (ImageArchiveReader reader = new ImageArchiveReader(archive)) {
      if (!(reader.subject() instanceof FunctionSpec spec)) {
        throw new ImageException(
            Reason.UNSUPPORTED,
            "This is the image of a program, and no function's: name the directory that it is to"
                + " have with --image.");
      }
      reader.requireHere();
      FunctionDefinition definition = definitions.received(description(reader), secrets);
      requireSame(spec, definition.spec());
      Path image = images.of(reader.id());
      if (!replace) {
        requireNew(definition, image);
      }
      List<String> received = new ArrayList<>();
      ImageSummary imported = null;
      boolean done = false;
      try {
        receive(reader, definition, received);
        imported = reader.image(image, replace);
        definitions.save(definition);
        done = true;
        return imported;
      } finally {
        if (!done) {
          received.forEach(jars::giveBack);
          if (imported != null) {
            images.remove(image);
          }
        }
      }
    }
  }

  private ObjectNode description(ImageArchiveReader reader)
      throws InvalidFieldException, ImageException {
    JsonNode description;
    try {
      description = json.readTree(reader.description());
    } catch (IOException e) {
      throw new ImageException(
          Reason.DAMAGED, "The exported image says of itself what is no JSON: " + e.getMessage());
    }
    JsonFields fields =
        JsonFields.of(
            description,
            "the exported image",
            Set.of(ImageExport.FORMAT_FIELD, ImageExport.FUNCTION_FIELD));
    int format = fields.integer(ImageExport.FORMAT_FIELD, 0, 0, Integer.MAX_VALUE);
    if (format != ImageExport.FORMAT) {
      throw new ImageException(
          Reason.FORMAT,
          "The exported image has format "
              + format
              + ", and this version of Pilotlight reads "
              + ImageExport.FORMAT
              + ". Export it with the same version.");
    }
    if (!(fields.raw(ImageExport.FUNCTION_FIELD) instanceof ObjectNode function)) {
      throw new InvalidFieldException(
          ImageExport.FUNCTION_FIELD, "the exported image has no definition of its function");
    }
    return function;
  }

  /** Its JVM has the paths of its jars in its memory. */
  private static void requireSame(FunctionSpec inside, FunctionSpec here) throws ImageException {
    if (!inside.jars().equals(here.jars()) || !inside.layers().equals(here.layers())) {
      throw new ImageException(
          Reason.FILE,
          "Its JVM knows its jars as "
              + inside.jars()
              + ", and they would be "
              + here.jars()
              + " here. Import into a data directory at the path of the one that it was exported"
              + " from (--data).");
    }
    if (!inside.equals(here)) {
      throw new ImageException(
          Reason.DAMAGED,
          "The exported image and the definition of its function do not belong together.");
    }
  }

  private void requireNew(FunctionDefinition definition, Path image)
      throws ConflictException, IOException {
    boolean known =
        definitions.load().stream().anyMatch(there -> there.name().equals(definition.name()));
    if (known || Files.exists(image)) {
      throw new ConflictException(
          (known ? "function '" + definition.name() + "'" : "image " + image)
              + " is there already; --replace puts the imported one in its place");
    }
  }

  /**
   * Takes in the jars.
   *
   * @param received gets the hashes of those that were not there
   */
  private void receive(
      ImageArchiveReader reader, FunctionDefinition definition, List<String> received)
      throws ImageException, ConflictException, IOException {
    Set<String> missing = new HashSet<>();
    Stream.concat(definition.jars().stream(), definition.layers().stream())
        .forEach(jar -> missing.add(jar.sha256()));
    List<ConflictException> conflicts = new ArrayList<>();
    reader.attachments(
        (name, content) -> {
          String sha256 = name.replaceFirst("\\.jar$", "");
          if (!missing.remove(sha256)) {
            throw new ImageException(
                Reason.DAMAGED, "The exported image has a file '" + name + "' that is none of its");
          }
          try {
            if (jars.receive(sha256, reader.modifiedNanos(jars.path(sha256)), content)) {
              received.add(sha256);
            }
          } catch (ConflictException e) {
            conflicts.add(e);
          }
        });
    if (!conflicts.isEmpty()) {
      throw conflicts.get(0);
    }
    if (!missing.isEmpty()) {
      throw new ImageException(
          Reason.DAMAGED, "The exported image lacks jars, by their SHA-256: " + missing);
    }
  }
}
