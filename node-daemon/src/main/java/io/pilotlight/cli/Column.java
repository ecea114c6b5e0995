package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.function.Function;

/**
 * One column of a table of JSON objects.
 *
 * @param heading above it; {@code >} first for flush right
 * @param cell what of an object is in it
 */
record Column(String heading, Function<JsonNode, String> cell) {

  static Column text(String heading, String field) {
    return new Column(heading, node -> node.at("/" + field).asText("-"));
  }

  static Column number(String heading, String field) {
    return new Column(">" + heading, node -> node.at("/" + field).asText("-"));
  }

  static Column bytes(String heading, String field) {
    return new Column(">" + heading, node -> Units.mebibytes(node.at("/" + field).asLong()));
  }

  /** A table of an array of objects. */
  static String table(JsonNode rows, List<Column> columns) {
    if (rows.isEmpty()) {
      return "none";
    }
    Table table = new Table(columns.stream().map(Column::heading).toArray(String[]::new));
    for (JsonNode row : rows) {
      table.row(columns.stream().map(column -> column.cell().apply(row)).toArray());
    }
    return table.plain();
  }
}
