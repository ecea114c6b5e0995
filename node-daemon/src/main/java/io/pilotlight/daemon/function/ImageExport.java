package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageArchive;
import io.pilotlight.zygote.ImageArchive.Attachment;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSubject;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes an image to one file, a function's with its definition and jars. Secrets have names there
 * and no values. A daemon may be using what is read. Stateless.
 */
public final class ImageExport {
  /** The version of what is said beside the image. */
  static final int FORMAT = 1;

  static final String FORMAT_FIELD = "archive";
  static final String FUNCTION_FIELD = "function";

  private final ObjectMapper json;
  private final Path functions;

  /**
   * As described.
   *
   * @param functions where definitions are stored
   */
  public ImageExport(Path functions, ObjectMapper json) {
    this.functions = functions;
    this.json = json;
  }

  /**
   * Exports an image.
   *
   * @param out is not closed
   * @throws ImageException if it is damaged
   * @throws ConflictException if its function has been deployed anew, or removed
   * @throws IOException if something cannot be read or written
   */
  public ImageSummary write(Path image, OutputStream out)
      throws ImageException, ConflictException, IOException {
    ImageSummary summary = ImageStore.summary(image);
    ObjectNode description = json.createObjectNode().put(FORMAT_FIELD, FORMAT);
    Set<Path> jars = new LinkedHashSet<>();
    if (summary.subject() instanceof FunctionSpec spec) {
      description.set(FUNCTION_FIELD, definition(spec));
      jars.addAll(spec.jars());
      jars.addAll(spec.layers());
    }
    List<Attachment> attachments =
        jars.stream().map(jar -> new Attachment(jar.getFileName().toString(), jar)).toList();
    ImageArchive.write(image, json.writeValueAsBytes(description), attachments, out);
    return summary;
  }

  private ObjectNode definition(ImageSubject subject) throws ConflictException {
    ObjectNode definition;
    try {
      definition = DefinitionStore.shipped(functions, subject.name(), json);
    } catch (IOException e) {
      throw new ConflictException(
          "function '"
              + subject.name()
              + "', of which this is an image, is not stored in "
              + functions
              + ": "
              + e.getMessage());
    }
    if (!definition.path("version").asText().equals(subject.version())) {
      throw new ConflictException(
          "this is an image of version "
              + subject.version()
              + " of function '"
              + subject.name()
              + "', which has version "
              + definition.path("version").asText()
              + " by now; export an image of that");
    }
    return definition;
  }
}
