package io.pilotlight.daemon.metrics;

import io.pilotlight.daemon.function.ImageReviewer;
import io.pilotlight.daemon.function.ZygoteTenure;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionJvm.FirstCallFaults;
import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import io.prometheus.client.exporter.common.TextFormat;
import io.prometheus.client.hotspot.BufferPoolsExports;
import io.prometheus.client.hotspot.ClassLoadingExports;
import io.prometheus.client.hotspot.GarbageCollectorExports;
import io.prometheus.client.hotspot.MemoryPoolsExports;
import io.prometheus.client.hotspot.StandardExports;
import io.prometheus.client.hotspot.ThreadExports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What this daemon measures. Thread-safe. */
public final class NodeMetrics implements EngineListener {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double[] START_BUCKETS = {
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10
  };
  private static final double[] DURATION_BUCKETS = {
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
    60
  };

  private static final double[] FAULT_BUCKETS = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000
  };

  private final CollectorRegistry registry = new CollectorRegistry(true);
  private final Map<String, FunctionSeries> functions = new ConcurrentHashMap<>();
  private final Counter invocations;
  private final Histogram starts;
  private final Histogram durations;
  private final Histogram phases;
  private final Counter fallbacks;
  private final Histogram firstCallFaults;
  private final Counter zygotesEnded;
  private final Counter imagesEvicted;

  /** Without any function; {@code version} is this daemon's. */
  public NodeMetrics(String version) {
    invocations =
        Counter.build("pilotlight_invocations", "Invocations, by start and outcome.")
            .labelNames("function", "start", "outcome")
            .register(registry);
    starts =
        Histogram.build(
                "pilotlight_start_duration_seconds",
                "From the request accepted by the daemon to the handler entered.")
            .labelNames("function", "start")
            .buckets(START_BUCKETS)
            .register(registry);
    durations =
        Histogram.build(
                "pilotlight_invocation_duration_seconds",
                "From the request accepted by the daemon to its answer ready to be sent.")
            .labelNames("function", "start")
            .buckets(DURATION_BUCKETS)
            .register(registry);
    phases =
        Histogram.build(
                "pilotlight_engine_phase_duration_seconds", "Phases of making a zygote or a clone.")
            .labelNames("engine", "phase")
            .buckets(START_BUCKETS)
            .register(registry);
    fallbacks =
        Counter.build("pilotlight_fallbacks", "Starts that failed, and what was tried instead.")
            .labelNames("from", "to", "reason")
            .register(registry);
    firstCallFaults =
        Histogram.build(
                "pilotlight_first_call_faults",
                "Page faults of the first call in a clone that waited in the pool; a sample.")
            .labelNames("function", "replayed")
            .buckets(FAULT_BUCKETS)
            .register(registry);
    zygotesEnded =
        Counter.build(
                "pilotlight_zygotes_ended",
                "Zygotes in memory that were ended because images serve in their place.")
            .labelNames("reason")
            .register(registry);
    imagesEvicted =
        Counter.build(
                "pilotlight_images_evicted",
                "Images that were removed because all together took too much of the disk.")
            .labelNames("reason")
            .register(registry);
    Gauge.build("pilotlight_build_info", "1, labelled with the daemon's version.")
        .labelNames("version")
        .register(registry)
        .labels(version)
        .set(1);
    registerJvm();
  }

  private void registerJvm() {
    new StandardExports().register(registry);
    new MemoryPoolsExports().register(registry);
    new GarbageCollectorExports().register(registry);
    new ThreadExports().register(registry);
    new ClassLoadingExports().register(registry);
    new BufferPoolsExports().register(registry);
  }

  /** Adds what is computed when somebody asks. */
  public void register(Collector collector) {
    collector.register(registry);
  }

  /** The series of a function. */
  public FunctionSeries function(String name) {
    FunctionSeries known = functions.get(name);
    return known != null
        ? known
        : functions.computeIfAbsent(
            name, added -> new FunctionSeries(added, invocations, starts, durations));
  }

  /** Forgets the series of a function. */
  public void removeFunction(String name) {
    functions.remove(name);
    for (Start start : Start.values()) {
      removeInvocations(name, start.word());
      starts.remove(name, start.word());
      durations.remove(name, start.word());
    }
    removeInvocations(name, FunctionSeries.NO_START);
    firstCallFaults.remove(name, "true");
    firstCallFaults.remove(name, "false");
  }

  private void removeInvocations(String name, String start) {
    for (FunctionSeries.Result result : FunctionSeries.Result.values()) {
      invocations.remove(name, start, word(result));
    }
  }

  static String word(FunctionSeries.Result result) {
    return result.name().toLowerCase(Locale.ROOT);
  }

  /** Counts the page faults of a first call. */
  public void firstCall(String function, FirstCallFaults call) {
    firstCallFaults
        .labels(function, Boolean.toString(call.replayed()))
        .observe((double) call.faults());
  }

  /**
   * Counts a start that failed and was followed by another.
   *
   * @param reason a short fixed word
   */
  public void fallback(Start from, Start to, String reason) {
    fallbacks.labels(from.word(), to.word(), reason).inc();
  }

  /** Counts a zygote in memory that was ended. */
  public void zygoteEnded(ZygoteTenure.Reason reason) {
    zygotesEnded.labels(reason.word()).inc();
  }

  /** Counts an image that was removed. */
  public void imageEvicted(ImageReviewer.Reason reason) {
    imagesEvicted.labels(reason.word()).inc();
  }

  @Override
  public void phase(String engine, String phase, long nanos) {
    phases.labels(engine, phase).observe(nanos / NANOS_PER_SECOND);
  }

  /** The content type of {@link #write} for a client that accepts {@code accept}. */
  public static String contentType(@Nullable String accept) {
    return TextFormat.chooseContentType(accept);
  }

  /** Writes everything as {@code contentType} asks. */
  public void write(String contentType, Writer out) {
    try {
      TextFormat.writeFormat(contentType, out, registry.metricFamilySamples());
    } catch (IOException e) {
      throw new UncheckedIOException("metrics could not be written", e);
    }
  }
}
