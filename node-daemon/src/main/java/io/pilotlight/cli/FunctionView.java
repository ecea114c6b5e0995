package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** A function as people read it. */
final class FunctionView {
  private FunctionView() {}

  /** One sentence, and the warnings of its build. */
  static String summary(JsonNode function) {
    StringBuilder text = new StringBuilder(function.path("name").asText());
    text.append(" version ").append(function.path("version").asText("?"));
    text.append(" is ").append(function.path("state").asText("deployed"));
    JsonNode zygote = function.path("zygote");
    if (zygote.path("residentBytes").asLong() > 0) {
      text.append(", ").append(Units.mebibytes(zygote.path("residentBytes").asLong()));
      text.append(" resident");
    }
    for (JsonNode warning : function.path("warnings")) {
      text.append("\nwarning: ").append(warning.asText());
    }
    return text.toString();
  }

  /** Every field, one a line; objects indented. */
  static String full(JsonNode function) {
    StringBuilder text = new StringBuilder();
    fields(text, "", function);
    return text.toString();
  }

  private static void fields(StringBuilder text, String indent, JsonNode object) {
    object
        .properties()
        .forEach(
            field -> {
              JsonNode value = field.getValue();
              text.append(indent).append(field.getKey()).append(':');
              if (value.isObject() && !value.isEmpty()) {
                text.append('\n');
                fields(text, indent + "  ", value);
              } else if (value.isValueNode()) {
                text.append(' ').append(value.asText()).append('\n');
              } else {
                text.append(' ').append(value).append('\n');
              }
            });
  }
}
