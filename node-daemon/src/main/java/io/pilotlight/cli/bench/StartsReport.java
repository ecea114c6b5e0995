package io.pilotlight.cli.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.pilotlight.cli.Start;
import io.pilotlight.cli.Table;
import io.pilotlight.cli.Units;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What {@link StartsRun} measured, told.
 *
 * @param series one for each kind of start
 */
public record StartsReport(List<Series> series) {
  /** Copies the list. */
  public StartsReport {
    series = List.copyOf(series);
  }

  /** The {@code results} of {@code bench --json}. */
  public void document(ArrayNode results) {
    series.forEach(one -> one.document(results.addObject()));
  }

  /** A table that is also Markdown, and the reasons of failures. */
  public String text() {
    Table table =
        new Table(
            "start",
            ">calls",
            ">failed",
            ">start p50",
            ">start p99",
            ">handler p50",
            ">total p50",
            ">total p90",
            ">total p99",
            ">total max",
            ">against cold",
            ">private memory");
    for (Series one : series) {
      table.row(
          one.label(),
          one.count(),
          one.failed(),
          Units.duration(one.startSeconds(50)),
          Units.duration(one.startSeconds(99)),
          Units.duration(one.handlerSeconds(50)),
          Units.duration(one.totalSeconds(50)),
          Units.duration(one.totalSeconds(90)),
          Units.duration(one.totalSeconds(99)),
          Units.duration(one.totalSeconds(100)),
          againstCold(one),
          Units.mebibytes(one.clonePrivateBytes()));
    }
    StringBuilder text = new StringBuilder(table.markdown());
    for (Series one : series) {
      if (one.unavailable() > 0) {
        text.append('\n').append(one.label()).append(": ").append(one.unavailable());
        text.append(" more times there was no such process at that moment; these are left out.\n");
      }
      for (Map.Entry<String, Integer> failure : one.failures().entrySet()) {
        text.append('\n').append(one.label()).append(": ").append(failure.getValue());
        text.append(" times ").append(failure.getKey()).append('\n');
      }
    }
    return text.toString();
  }

  /** How many times faster than a cold start, by the median of the whole call. */
  public String againstCold(Series one) {
    Optional<Series> cold =
        series.stream().filter(other -> other.start() == Start.COLD && other.count() > 0).findAny();
    if (cold.isEmpty() || one.count() == 0) {
      return "-";
    }
    double factor = cold.get().totalSeconds(50) / one.totalSeconds(50);
    return String.format(Locale.ROOT, factor < 10 ? "%.1f x" : "%.0f x", factor);
  }
}
