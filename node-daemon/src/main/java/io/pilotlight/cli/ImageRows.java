package io.pilotlight.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** Images as rows of a table. Stateless. */
final class ImageRows {
  static final List<Column> COLUMNS =
      List.of(
          Column.text("image", "image"),
          Column.text("function", "function"),
          Column.text("version", "version"),
          Column.text("created", "created"),
          Column.text("used", "used"),
          Column.bytes("size", "bytes"),
          Column.bytes("stored", "storedBytes"),
          Column.text("problem", "problem"));

  private final ObjectMapper mapper = new ObjectMapper();

  /** What an image says of itself. */
  ObjectNode row(Path image) {
    ObjectNode row = mapper.createObjectNode().put("image", String.valueOf(image.getFileName()));
    try {
      return add(ImageStore.summary(image), row);
    } catch (ImageException e) {
      problem(row, e);
      return row;
    }
  }

  /** The same of one that has been read. */
  ObjectNode row(ImageSummary summary) {
    ObjectNode row =
        mapper.createObjectNode().put("image", String.valueOf(summary.directory().getFileName()));
    return add(summary, row);
  }

  private static ObjectNode add(ImageSummary summary, ObjectNode row) {
    row.put("directory", summary.directory().toString());
    row.put("function", summary.subject().name());
    row.put("version", summary.subject().version());
    row.put("created", summary.created());
    row.put("used", Instant.ofEpochMilli(summary.usedEpochMillis()).toString());
    row.put("bytes", summary.bytes());
    row.put("storedBytes", summary.storedBytes());
    row.put("jvm", summary.subject().javaHome().toString());
    return row.putNull("problem");
  }

  private static void problem(ObjectNode row, ImageException e) {
    row.put("reason", e.reason().name().toLowerCase(Locale.ROOT));
    row.put("problem", e.getMessage());
  }

  /** The same after all of it was read. */
  ObjectNode verified(Path image) {
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
}
