package io.pilotlight.cli.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.Start;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.HdrHistogram.Histogram;

/** The calls of one kind of start. For one thread. */
public final class Series {
  private static final int DIGITS = 3;
  private static final double NANOS = 1e9;

  private final Start start;
  private final Variant variant;
  private final Histogram starts = new Histogram(DIGITS);
  private final Histogram handlers = new Histogram(DIGITS);
  private final Histogram totals = new Histogram(DIGITS);
  private final Map<String, Integer> failures = new LinkedHashMap<>();
  private int unavailable;
  private OptionalLong privateBytes = OptionalLong.empty();

  Series(Start start, Variant variant) {
    this.start = start;
    this.variant = variant;
  }

  /** How the function is deployed. */
  public Variant variant() {
    return variant;
  }

  /** What it is called in a table. */
  public String label() {
    return start + variant.label();
  }

  /** The start that was asked for. */
  public Start start() {
    return start;
  }

  void add(double startSeconds, double handlerSeconds, long totalNanos) {
    record(starts, startSeconds);
    record(handlers, handlerSeconds);
    totals.recordValue(totalNanos);
  }

  private static void record(Histogram histogram, double seconds) {
    if (!Double.isNaN(seconds)) {
      histogram.recordValue(Math.max(0, Math.round(seconds * NANOS)));
    }
  }

  void fail(String reason) {
    failures.merge(reason, 1, Integer::sum);
  }

  /** The daemon had no process of the start that was asked for: not a figure of this series. */
  void missed() {
    unavailable++;
  }

  void privateBytes(OptionalLong bytes) {
    privateBytes = bytes;
  }

  /** Calls that were measured. */
  public long count() {
    return totals.getTotalCount();
  }

  /** Calls for which there was no process of this start at that moment; they are left out. */
  public int unavailable() {
    return unavailable;
  }

  /** Why calls failed, and how many for each reason. */
  public Map<String, Integer> failures() {
    return Map.copyOf(failures);
  }

  /** How many calls failed. */
  public int failed() {
    return failures.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** From the request accepted to the handler entered. */
  public double startSeconds(double percentile) {
    return seconds(starts, percentile);
  }

  /** In the handler. */
  public double handlerSeconds(double percentile) {
    return seconds(handlers, percentile);
  }

  /** From the client's first byte to its last. */
  public double totalSeconds(double percentile) {
    return seconds(totals, percentile);
  }

  /** Memory of a process of this start that is its own after its first call; 0 if not known. */
  public long clonePrivateBytes() {
    return privateBytes.orElse(0);
  }

  private static double seconds(Histogram histogram, double percentile) {
    return histogram.getTotalCount() == 0
        ? Double.NaN
        : histogram.getValueAtPercentile(percentile) / NANOS;
  }

  /** As {@code bench --json} has it. */
  public ObjectNode document(ObjectNode node) {
    node.put("start", start.toString())
        .put("replay", variant.replay())
        .put("isolation", variant.isolation().word())
        .put("count", count())
        .put("failed", failed());
    node.put("unavailable", unavailable);
    percentiles(node.putObject("startSeconds"), starts);
    percentiles(node.putObject("handlerSeconds"), handlers);
    percentiles(node.putObject("totalSeconds"), totals);
    privateBytes.ifPresentOrElse(
        bytes -> node.put("clonePrivateBytes", bytes), () -> node.putNull("clonePrivateBytes"));
    return node;
  }

  static void percentiles(ObjectNode node, Histogram histogram) {
    if (histogram.getTotalCount() == 0) {
      return;
    }
    node.put("min", histogram.getMinValue() / NANOS);
    node.put("p50", histogram.getValueAtPercentile(50) / NANOS);
    node.put("p90", histogram.getValueAtPercentile(90) / NANOS);
    node.put("p99", histogram.getValueAtPercentile(99) / NANOS);
    node.put("max", histogram.getMaxValue() / NANOS);
  }
}
