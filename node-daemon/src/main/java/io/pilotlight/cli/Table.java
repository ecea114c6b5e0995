package io.pilotlight.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * Rows under headings, aligned for a terminal. A heading that begins with {@code >} makes its
 * column flush right.
 */
public final class Table {
  private final List<String> headings = new ArrayList<>();
  private final List<Boolean> flushRight = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  /** A table without rows. */
  public Table(String... headings) {
    for (String heading : headings) {
      boolean right = heading.startsWith(">");
      flushRight.add(right);
      this.headings.add(right ? heading.substring(1) : heading);
    }
  }

  /** Adds a row; each cell is printed as {@link String#valueOf} gives it. */
  public Table row(Object... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(cells.length + " cells for " + headings.size());
    }
    List<String> row = new ArrayList<>();
    for (Object cell : cells) {
      row.add(String.valueOf(cell));
    }
    rows.add(row);
    return this;
  }

  /** Columns two spaces apart. */
  public String plain() {
    int[] widths = widths();
    StringBuilder text = new StringBuilder();
    line(text, widths, headings, "", "  ", "");
    rows.forEach(row -> line(text, widths, row, "", "  ", ""));
    return text.toString();
  }

  /** The same as Markdown, readable as it is. */
  public String markdown() {
    int[] widths = widths();
    StringBuilder text = new StringBuilder();
    line(text, widths, headings, "| ", " | ", " |");
    text.append('|');
    for (int column = 0; column < widths.length; column++) {
      boolean right = flushRight.get(column);
      text.append(right ? "-" : ":")
          .append("-".repeat(widths[column]))
          .append(right ? ":" : "-")
          .append('|');
    }
    text.append('\n');
    rows.forEach(row -> line(text, widths, row, "| ", " | ", " |"));
    return text.toString();
  }

  private void line(
      StringBuilder text, int[] widths, List<String> cells, String open, String gap, String close) {
    StringBuilder line = new StringBuilder(open);
    for (int column = 0; column < widths.length; column++) {
      String cell = cells.get(column);
      String padding = " ".repeat(widths[column] - cell.length());
      line.append(column == 0 ? "" : gap)
          .append(flushRight.get(column) ? padding + cell : cell + padding);
    }
    text.append(line.append(close).toString().stripTrailing()).append('\n');
  }

  private int[] widths() {
    int[] widths = new int[headings.size()];
    for (int column = 0; column < widths.length; column++) {
      widths[column] = headings.get(column).length();
      for (List<String> row : rows) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    return widths;
  }
}
