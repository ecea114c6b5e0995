package io.pilotlight.daemon.metrics;

import io.pilotlight.daemon.pool.Start;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The series of one function, looked up once and not on every invocation. Thread-safe. */
public final class FunctionSeries {
  private static final double NANOS_PER_SECOND = 1e9;

  /** What an invocation came to. */
  public enum Result {
    /** The handler answered. */
    SUCCESS,
    /** The handler threw, its input or answer did not fit, or its process could not initialise. */
    ERROR,
    /** Too slow; its process was killed. */
    TIMEOUT,
    /** Its process ended. */
    DIED,
    /** The function's concurrency was used up. */
    THROTTLED,
    /** Refused for another reason; no process had it. */
    REJECTED
  }

  /** The start label of an invocation that no process got. */
  static final String NO_START = "none";

  private final Map<Start, Map<Result, Counter.Child>> started = new EnumMap<>(Start.class);
  private final Map<Result, Counter.Child> unstarted;
  private final Map<Start, Histogram.Child> startDurations = new EnumMap<>(Start.class);
  private final Map<Start, Histogram.Child> invocationDurations = new EnumMap<>(Start.class);

  FunctionSeries(String function, Counter invocations, Histogram starts, Histogram durations) {
    for (Start start : Start.values()) {
      started.put(start, children(invocations, function, start.word()));
      startDurations.put(start, starts.labels(function, start.word()));
      invocationDurations.put(start, durations.labels(function, start.word()));
    }
    unstarted = children(invocations, function, NO_START);
  }

  private static Map<Result, Counter.Child> children(
      Counter invocations, String function, String start) {
    Map<Result, Counter.Child> children = new EnumMap<>(Result.class);
    for (Result result : Result.values()) {
      children.put(result, invocations.labels(function, start, NodeMetrics.word(result)));
    }
    return children;
  }

  /**
   * Counts an invocation that a process got.
   *
   * @param startNanos from the request accepted to the handler entered; negative if it was not
   * @param totalNanos from the request accepted to the answer ready
   */
  public void invoked(Start start, Result result, long startNanos, long totalNanos) {
    Map<Result, Counter.Child> counters = started.get(start);
    if (counters != null) {
      increment(counters.get(result));
    }
    if (startNanos >= 0) {
      observe(startDurations.get(start), startNanos);
    }
    observe(invocationDurations.get(start), totalNanos);
  }

  /** Counts an invocation that no process got. */
  public void refused(Result result) {
    increment(unstarted.get(result));
  }

  private static void increment(Counter.@Nullable Child counter) {
    if (counter != null) {
      counter.inc();
    }
  }

  private static void observe(Histogram.@Nullable Child histogram, long nanos) {
    if (histogram != null) {
      histogram.observe(nanos / NANOS_PER_SECOND);
    }
  }
}
