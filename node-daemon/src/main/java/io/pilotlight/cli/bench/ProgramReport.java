package io.pilotlight.cli.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.Table;
import io.pilotlight.cli.Units;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * What {@link ProgramRun} measured, told.
 *
 * @param times of each way to start; the first one is what the others are held against
 * @param imageBytes the image's size
 */
public record ProgramReport(List<Times> times, long imageBytes) {
  private static final int DIGITS = 3;
  private static final double NANOS = 1e9;

  /** Copies the list. */
  public ProgramReport {
    times = List.copyOf(times);
  }

  /**
   * From one kind of start to the first answer.
   *
   * @param start what people call it
   * @param nanos of each
   */
  public record Times(String start, Histogram nanos) {
    Times(String start) {
      this(start, new Histogram(DIGITS));
    }

    void add(long taken) {
      nanos.recordValue(taken);
    }

    private String percentile(double percent) {
      return Units.duration(seconds(percent));
    }

    private double seconds(double percent) {
      return nanos.getTotalCount() == 0 ? Double.NaN : nanos.getValueAtPercentile(percent) / NANOS;
    }
  }

  /** Puts the size of the image and the {@code results} of {@code bench --json}. */
  public void document(ObjectNode document) {
    document.put("imageBytes", imageBytes);
    ArrayNode results = document.putArray("results");
    for (Times one : times) {
      ObjectNode node =
          results.addObject().put("start", one.start()).put("count", one.nanos().getTotalCount());
      Series.percentiles(node.putObject("firstAnswerSeconds"), one.nanos());
    }
  }

  /** A table that is also Markdown. */
  public String text() {
    Table table =
        new Table(
            "start",
            ">starts",
            ">first answer p50",
            ">p90",
            ">min",
            ">max",
            ">against " + times.get(0).start());
    for (Times one : times) {
      table.row(
          one.start(),
          one.nanos().getTotalCount(),
          one.percentile(50),
          one.percentile(90),
          one.percentile(0),
          one.percentile(100),
          factor(one));
    }
    return table.markdown() + "\nThe image has " + Units.mebibytes(imageBytes) + ".\n";
  }

  private String factor(Times one) {
    double factor = times.get(0).seconds(50) / one.seconds(50);
    return Double.isNaN(factor)
        ? "-"
        : String.format(Locale.ROOT, factor < 10 ? "%.1f x" : "%.0f x", factor);
  }
}
