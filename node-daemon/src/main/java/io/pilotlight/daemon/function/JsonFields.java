package io.pilotlight.daemon.function;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.descriptor.DescriptorPolicy;
import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the fields of a JSON object; each complaint names the field, its value and what is allowed.
 */
public final class JsonFields {
  private static final int QUOTED_CHARS = 100;
  private final ObjectNode object;

  private JsonFields(ObjectNode object) {
    this.object = object;
  }

  /**
   * The fields of {@code node}.
   *
   * @param what names the object in messages
   * @param known every field that it may have
   * @throws InvalidFieldException if it is not an object, or has a field that is not known
   */
  public static JsonFields of(JsonNode node, String what, Set<String> known)
      throws InvalidFieldException {
    if (!(node instanceof ObjectNode object)) {
      throw new InvalidFieldException(what, what + " must be a JSON object, not " + quoted(node));
    }
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    for (String name : names) {
      if (!known.contains(name)) {
        throw new InvalidFieldException(
            name,
            "unknown field '" + name + "' in " + what + "; known are " + String.join(", ", known));
      }
    }
    return new JsonFields(object);
  }

  /** Reads JSON that is given by people: nothing may follow it, and no field may be there twice. */
  public static ObjectMapper strictMapper() {
    return JsonMapper.builder()
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
        .build();
  }

  /** Whether the field is there and not null. */
  public boolean has(String field) {
    return object.hasNonNull(field);
  }

  /** The field's value as it is; only where {@link #has} is true. */
  public JsonNode raw(String field) {
    return object.get(field);
  }

  /** A text, or {@code fallback} if absent. */
  public String text(String field, String fallback) throws InvalidFieldException {
    return has(field) ? textOf(field, raw(field)) : fallback;
  }

  /** A text that must be there and not be blank. */
  public String requiredText(String field, String example) throws InvalidFieldException {
    String value = text(field, "");
    if (value.isBlank()) {
      throw new InvalidFieldException(
          field, "field '" + field + "' is missing or empty; give for example \"" + example + "\"");
    }
    return value;
  }

  /** An integer between {@code min} and {@code max}, or {@code fallback} if absent. */
  public int integer(String field, int fallback, int min, int max) throws InvalidFieldException {
    if (!has(field)) {
      return fallback;
    }
    JsonNode node = raw(field);
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.intValue() < min
        || node.intValue() > max) {
      throw new InvalidFieldException(
          field,
          "field '"
              + field
              + "' is "
              + quoted(node)
              + "; an integer between "
              + min
              + " and "
              + max
              + " is allowed");
    }
    return node.intValue();
  }

  /**
   * A number with at most three decimals, in thousandths; {@code fallback} if absent.
   *
   * @param max in whole numbers; 0 is the least
   */
  public int thousandths(String field, int fallback, int max) throws InvalidFieldException {
    if (!has(field)) {
      return fallback;
    }
    JsonNode node = raw(field);
    if (node.isNumber() && Double.isFinite(node.doubleValue())) {
      BigDecimal thousandths = node.decimalValue().movePointRight(3);
      boolean inRange =
          thousandths.signum() >= 0 && thousandths.compareTo(BigDecimal.valueOf(1_000L * max)) <= 0;
      // The range first: the exponent of what is far outside could make this long.
      if (inRange && thousandths.stripTrailingZeros().scale() <= 0) {
        return thousandths.intValue();
      }
    }
    throw new InvalidFieldException(
        field,
        "field '"
            + field
            + "' is "
            + quoted(node)
            + "; a number between 0 and "
            + max
            + " with at most three decimals is allowed");
  }

  /** A truth value, or {@code fallback} if absent. */
  public boolean flag(String field, boolean fallback) throws InvalidFieldException {
    if (!has(field)) {
      return fallback;
    }
    JsonNode node = raw(field);
    if (!node.isBoolean()) {
      throw new InvalidFieldException(
          field, "field '" + field + "' is " + quoted(node) + "; true or false is allowed");
    }
    return node.booleanValue();
  }

  /** A list of texts; empty if absent. */
  public List<String> texts(String field) throws InvalidFieldException {
    List<String> values = new ArrayList<>();
    for (JsonNode element : array(field)) {
      values.add(textOf(field, element));
    }
    return values;
  }

  /** A list of absolute paths; empty if absent. */
  public List<Path> paths(String field) throws InvalidFieldException {
    List<Path> values = new ArrayList<>();
    for (JsonNode element : array(field)) {
      values.add(pathOf(field, textOf(field, element)));
    }
    return values;
  }

  /** An absolute path, or {@code fallback} if absent. */
  public Path path(String field, Path fallback) throws InvalidFieldException {
    return has(field) ? pathOf(field, textOf(field, raw(field))) : fallback;
  }

  /** The same where there may be none at all. */
  public @Nullable Path optionalPath(String field, @Nullable Path fallback)
      throws InvalidFieldException {
    return has(field) ? pathOf(field, textOf(field, raw(field))) : fallback;
  }

  /** The descriptor policy in a file, or {@code fallback} if absent. */
  public DescriptorPolicy policy(String field, DescriptorPolicy fallback)
      throws InvalidFieldException {
    return has(field)
        ? DescriptorsJson.ofFile(field, pathOf(field, textOf(field, raw(field))))
        : fallback;
  }

  /** The elements of a list; empty if absent. */
  public Iterable<JsonNode> array(String field) throws InvalidFieldException {
    if (!has(field)) {
      return List.of();
    }
    if (!raw(field).isArray()) {
      throw new InvalidFieldException(
          field, "field '" + field + "' is " + quoted(raw(field)) + "; a list is allowed");
    }
    return raw(field);
  }

  /** A map from text to text; empty if absent. */
  public Map<String, String> textMap(String field) throws InvalidFieldException {
    if (!has(field)) {
      return Map.of();
    }
    if (!(raw(field) instanceof ObjectNode node)) {
      throw new InvalidFieldException(
          field,
          "field '" + field + "' is " + quoted(raw(field)) + "; an object of texts is allowed");
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      values.put(entry.getKey(), textOf(field + "." + entry.getKey(), entry.getValue()));
    }
    return values;
  }

  private static Path pathOf(String field, String text) throws InvalidFieldException {
    try {
      Path path = Path.of(text);
      if (path.isAbsolute()) {
        return path.normalize();
      }
    } catch (InvalidPathException e) {
      throw new InvalidFieldException(
          field, "field '" + field + "' is \"" + text + "\", no path: " + e.getReason());
    }
    throw new InvalidFieldException(
        field, "field '" + field + "' is \"" + text + "\"; an absolute path is needed");
  }

  private static String textOf(String field, JsonNode node) throws InvalidFieldException {
    if (!node.isTextual()) {
      throw new InvalidFieldException(
          field, "field '" + field + "' is " + quoted(node) + "; a text is allowed");
    }
    String text = node.textValue();
    // The kernel ends environment entries, arguments and paths at a NUL: what follows would be
    // lost.
    if (text.indexOf('\0') >= 0) {
      throw new InvalidFieldException(field, "field '" + field + "' contains a NUL character");
    }
    return text;
  }

  private static String quoted(JsonNode node) {
    String text = node.toString();
    return text.length() <= QUOTED_CHARS ? text : text.substring(0, QUOTED_CHARS) + "...";
  }
}
