package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import javax.imageio.ImageIO;

/**
 * Draws a working set: a line for each mebibyte in which a call touched anything, a cell for each
 * of its 256 pages.
 */
final class WorkingSetMap {
  private static final int PAGE_BYTES = 4096;
  private static final int PAGES_PER_LINE = 256;
  private static final long LINE_BYTES = (long) PAGES_PER_LINE * PAGE_BYTES;
  private static final int CELL_WIDTH = 4;
  private static final int LINE_HEIGHT = 14;
  private static final int CELL_HEIGHT = 10;
  private static final int MARGIN = 12;
  private static final int LABEL_WIDTH = 250;

  private static final Color UNTOUCHED = new Color(0xe8eaed);
  private static final Color WRITTEN = new Color(0xd1495b);
  private static final Color FILE = new Color(0x2e6f95);
  private static final Color MISSED = new Color(0xf2a541);
  private static final Color TEXT = new Color(0x202124);

  private final String title;
  private final NavigableMap<Long, String> regions;
  private final List<Run> runs;
  private final NavigableMap<Long, Integer> lines = new TreeMap<>();

  private WorkingSetMap(String title, NavigableMap<Long, String> regions, List<Run> runs) {
    this.title = title;
    this.regions = regions;
    this.runs = runs;
  }

  /** Neighbouring pages of one colour; later ones are drawn over earlier ones. */
  private record Run(long start, long end, Color color) {}

  /** Of the daemon's description of a working set. */
  static WorkingSetMap of(JsonNode set) {
    NavigableMap<Long, String> regions = new TreeMap<>();
    set.path("map")
        .forEach(node -> regions.put(address(node.path("start")), node.path("region").asText()));
    List<Run> runs = new ArrayList<>();
    JsonNode all = set.path("runs");
    add(all.path("touched"), MISSED, runs);
    add(all.path("file"), FILE, runs);
    add(all.path("written"), WRITTEN, runs);
    String title =
        "Working set of %s: %d first calls"
            .formatted(set.path("function").asText(), set.path("recordings").asInt());
    WorkingSetMap map = new WorkingSetMap(title, regions, runs);
    map.number();
    return map;
  }

  private static void add(JsonNode nodes, Color color, List<Run> runs) {
    for (JsonNode node : nodes) {
      long start = address(node.path(0));
      runs.add(new Run(start, start + node.path(1).asLong() * PAGE_BYTES, color));
    }
  }

  private static long address(JsonNode node) {
    return Long.decode(node.asText());
  }

  private void number() {
    for (Run run : runs) {
      for (long at = run.start() & -LINE_BYTES; at < run.end(); at += LINE_BYTES) {
        lines.put(at, 0);
      }
    }
    int number = 0;
    for (Long line : List.copyOf(lines.keySet())) {
      lines.put(line, number++);
    }
  }

  void write(Path file) throws IOException {
    // Without a display the fonts and pictures of java.desktop work all the same.
    System.setProperty("java.awt.headless", "true");
    if (!ImageIO.write(image(), "png", file.toFile())) {
      throw new IOException("this JDK writes no PNG");
    }
  }

  private BufferedImage image() {
    int width = 2 * MARGIN + LABEL_WIDTH + PAGES_PER_LINE * CELL_WIDTH;
    int height = 2 * MARGIN + (lines.size() + 3) * LINE_HEIGHT;
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      graphics.setColor(Color.WHITE);
      graphics.fillRect(0, 0, width, height);
      graphics.setFont(new Font(Font.MONOSPACED, Font.PLAIN, 11));
      heading(graphics);
      lines.forEach((address, number) -> line(graphics, address, top(number)));
      runs.forEach(run -> draw(graphics, run));
    } finally {
      graphics.dispose();
    }
    return image;
  }

  private static int top(int line) {
    return MARGIN + (line + 3) * LINE_HEIGHT;
  }

  private void heading(Graphics2D graphics) {
    graphics.setColor(TEXT);
    graphics.drawString(title, MARGIN, MARGIN + CELL_HEIGHT);
    int x = MARGIN;
    x = legend(graphics, x, WRITTEN, "written, replayed");
    x = legend(graphics, x, FILE, "of a file, replayed");
    x = legend(graphics, x, MISSED, "touched by some calls, not replayed");
    legend(graphics, x, UNTOUCHED, "not touched");
  }

  private static int legend(Graphics2D graphics, int x, Color color, String text) {
    int y = MARGIN + LINE_HEIGHT;
    graphics.setColor(color);
    graphics.fillRect(x, y + 2, CELL_HEIGHT, CELL_HEIGHT);
    graphics.setColor(TEXT);
    graphics.drawString(text, x + LINE_HEIGHT, y + CELL_HEIGHT);
    return x + 2 * LINE_HEIGHT + graphics.getFontMetrics().stringWidth(text);
  }

  private void line(Graphics2D graphics, long address, int y) {
    graphics.setColor(TEXT);
    String label = "%012x  %s".formatted(address, region(address));
    graphics.drawString(label, MARGIN, y + CELL_HEIGHT - 1);
    graphics.setColor(UNTOUCHED);
    graphics.fillRect(MARGIN + LABEL_WIDTH, y, PAGES_PER_LINE * CELL_WIDTH, CELL_HEIGHT);
  }

  /** The regions that begin in a line, and the one that reaches into it. */
  private String region(long line) {
    List<String> names = new ArrayList<>();
    var reaching = regions.floorEntry(line);
    boolean touched =
        runs.stream().anyMatch(run -> run.start() < line + LINE_BYTES && line < run.end());
    if (reaching != null && touched) {
      names.add(reaching.getValue());
    }
    regions
        .subMap(line, false, line + LINE_BYTES, false)
        .values()
        .forEach(
            name -> {
              if (!names.contains(name)) {
                names.add(name);
              }
            });
    return String.join(", ", names);
  }

  private void draw(Graphics2D graphics, Run run) {
    graphics.setColor(run.color());
    for (long page = run.start(); page < run.end(); page += PAGE_BYTES) {
      long line = page & -LINE_BYTES;
      int column = (int) ((page - line) / PAGE_BYTES);
      Integer number = lines.get(line);
      if (number != null) {
        int x = MARGIN + LABEL_WIDTH + column * CELL_WIDTH;
        graphics.fillRect(x, top(number), CELL_WIDTH - 1, CELL_HEIGHT);
      }
    }
  }
}
