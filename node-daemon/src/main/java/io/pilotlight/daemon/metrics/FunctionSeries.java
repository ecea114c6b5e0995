package io.pilotlight.daemon.metrics;

import io.pilotlight.daemon.pool.Start;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.concurrent.atomic.AtomicReferenceArray;
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

  private final String function;
  private final Counter invocations;
  private final Histogram starts;
  private final Histogram durations;

  /** Made when they are first needed: most combinations never occur. The last row has no start. */
  private final AtomicReferenceArray<Counter.Child> counters =
      new AtomicReferenceArray<>((Start.values().length + 1) * Result.values().length);

  private final AtomicReferenceArray<Histogram.Child> startTimes =
      new AtomicReferenceArray<>(Start.values().length);
  private final AtomicReferenceArray<Histogram.Child> durationTimes =
      new AtomicReferenceArray<>(Start.values().length);

  FunctionSeries(String function, Counter invocations, Histogram starts, Histogram durations) {
    this.function = function;
    this.invocations = invocations;
    this.starts = starts;
    this.durations = durations;
  }

  /**
   * Counts an invocation that a process got.
   *
   * @param startNanos from the request accepted to the handler entered; negative if it was not
   * @param totalNanos from the request accepted to the answer ready
   */
  public void invoked(Start start, Result result, long startNanos, long totalNanos) {
    count(start, result);
    if (startNanos >= 0) {
      observe(startTimes, starts, start, startNanos);
    }
    observe(durationTimes, durations, start, totalNanos);
  }

  /** Counts an invocation that no process got. */
  public void refused(Result result) {
    count(null, result);
  }

  @SuppressWarnings("EnumOrdinal") // an index into an array of this run, never stored
  private void count(@Nullable Start start, Result result) {
    int row = start == null ? Start.values().length : start.ordinal();
    int index = row * Result.values().length + result.ordinal();
    Counter.Child counter = counters.get(index);
    if (counter == null) {
      String word = start == null ? NO_START : start.word();
      counter = invocations.labels(function, word, NodeMetrics.word(result));
      counters.set(index, counter);
    }
    counter.inc();
  }

  @SuppressWarnings("EnumOrdinal") // an index into an array of this run, never stored
  private void observe(
      AtomicReferenceArray<Histogram.Child> children, Histogram family, Start start, long nanos) {
    Histogram.Child histogram = children.get(start.ordinal());
    if (histogram == null) {
      histogram = family.labels(function, start.word());
      children.set(start.ordinal(), histogram);
    }
    histogram.observe(nanos / NANOS_PER_SECOND);
  }
}
