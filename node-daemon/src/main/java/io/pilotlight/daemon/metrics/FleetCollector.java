package io.pilotlight.daemon.metrics;

import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.pool.ServingJvm;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.Replay;
import io.pilotlight.zygote.Zygote;
import io.prometheus.client.Collector;
import io.prometheus.client.CounterMetricFamily;
import io.prometheus.client.GaugeMetricFamily;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/** Zygotes, clones and pools, counted when somebody asks. Thread-safe. */
public final class FleetCollector extends Collector {
  /** Reading a clone's private memory costs milliseconds, so few are read, and not often. */
  private static final int MAX_CLONES_READ = 8;

  private static final Duration MEMORY_AGE = Duration.ofSeconds(10);

  /** The state of a zygote that is not in memory, and whose image serves. */
  private static final String ON_DISK = "image";

  private final FunctionRegistry registry;
  private final NodeClock clock;
  private Map<String, Double> privateBytes = Map.of();
  private long privateBytesNanos;

  /** Counts what {@code registry} holds. */
  public FleetCollector(FunctionRegistry registry, NodeClock clock) {
    this.registry = registry;
    this.clock = clock;
    privateBytesNanos = clock.nanoTime() - MEMORY_AGE.toNanos();
  }

  @Override
  public List<MetricFamilySamples> collect() {
    GaugeMetricFamily clones =
        gauge("pilotlight_clones", "Processes that serve functions.", "function", "state");
    GaugeMetricFamily pools =
        gauge("pilotlight_pool_size", "Clones that wait, forked ahead.", "function");
    GaugeMetricFamily resident =
        gauge("pilotlight_zygote_resident_bytes", "Resident memory of a zygote.", "zygote");
    GaugeMetricFamily images =
        gauge("pilotlight_image_bytes", "What a zygote's image takes of the disk.", "zygote");
    GaugeMetricFamily workingSets =
        gauge(
            "pilotlight_working_set_pages",
            "Pages that most first calls touch: written, mapped from files, read of the image.",
            "function",
            "kind");
    CounterMetricFamily replayed =
        new CounterMetricFamily(
            "pilotlight_replayed_pages",
            "Pages that clones have touched ahead of their first call, since their zygote is held.",
            List.of("function"));
    CounterMetricFamily fits =
        new CounterMetricFamily(
            "pilotlight_working_set_fit_pages",
            "Pages of recorded first calls: in the set before and used or unused, or missed in it.",
            List.of("function", "outcome"));
    GaugeMetricFamily replays =
        gauge(
            "pilotlight_replay_on",
            "1 where clones on demand replay, 0 where that is switched off or does not pay.",
            "function",
            "start");
    CounterMetricFamily imageReads =
        new CounterMetricFamily(
            "pilotlight_image_reads",
            "Starts that found their image not in the page cache and had it read ahead.",
            List.of("function"));
    Map<String, Integer> zygotes = new LinkedHashMap<>();
    for (Zygote.State state : Zygote.State.values()) {
      zygotes.put(state.name(), 0);
    }
    zygotes.put(ON_DISK, 0);
    for (ServedFunction function : registry.all()) {
      if (function.build() != null) {
        zygotes.merge(Zygote.State.BUILDING.name(), 1, Integer::sum);
      }
      Deployment current = function.current();
      if (current == null) {
        continue;
      }
      countClones(function.name(), current, clones);
      pools.addMetric(List.of(function.name()), current.pooled());
      for (Start start : List.of(Start.FORK, Start.RESTORE)) {
        boolean on = current.definition().settings().replay() && current.replayTrial(start).on();
        replays.addMetric(List.of(function.name(), start.word()), on ? 1 : 0);
      }
      Deployment.Image image = current.image();
      if (image != null) {
        Replay replay = image.blank().replay();
        workingSets.addMetric(List.of(function.name(), "image"), (double) replay.imagePages());
        imageReads.addMetric(List.of(function.name()), (double) replay.imageReads());
        images.addMetric(List.of(image.summary().zygote()), (double) image.summary().storedBytes());
      }
      Zygote zygote = current.zygote();
      Zygote cloneable = current.cloneable();
      if (cloneable != null) {
        Replay replay = cloneable.replay();
        workingSets.addMetric(List.of(function.name(), "written"), (double) replay.writtenPages());
        workingSets.addMetric(List.of(function.name(), "file"), (double) replay.filePages());
        replayed.addMetric(List.of(function.name()), (double) replay.replayedPages());
        fits.addMetric(List.of(function.name(), "used"), (double) replay.fit().used());
        fits.addMetric(List.of(function.name(), "unused"), (double) replay.fit().unused());
        fits.addMetric(List.of(function.name(), "missed"), (double) replay.fit().missed());
      }
      if (zygote != null) {
        zygotes.merge(zygote.state().name(), 1, Integer::sum);
        resident.addMetric(List.of(zygote.id()), (double) zygote.residentBytes());
      } else if (image != null && !current.zygoteLost()) {
        zygotes.merge(ON_DISK, 1, Integer::sum);
      } else if (function.build() == null) {
        zygotes.merge(Zygote.State.LOST.name(), 1, Integer::sum);
      }
    }
    GaugeMetricFamily states = gauge("pilotlight_zygotes", "Zygotes, by state.", "state");
    zygotes.forEach((state, count) -> states.addMetric(List.of(lower(state)), count));
    return List.of(
        states,
        clones,
        pools,
        resident,
        images,
        workingSets,
        replayed,
        imageReads,
        fits,
        replays,
        privateMemory());
  }

  private static GaugeMetricFamily gauge(String name, String help, String... labels) {
    return new GaugeMetricFamily(name, help, List.of(labels));
  }

  private static String lower(String word) {
    return word.toLowerCase(Locale.ROOT);
  }

  private static void countClones(String function, Deployment current, GaugeMetricFamily clones) {
    current
        .count()
        .forEach((state, count) -> clones.addMetric(List.of(function, lower(state.name())), count));
  }

  private synchronized GaugeMetricFamily privateMemory() {
    long now = clock.nanoTime();
    if (now - privateBytesNanos >= MEMORY_AGE.toNanos()) {
      privateBytes = readPrivateMemory();
      privateBytesNanos = now;
    }
    GaugeMetricFamily family =
        gauge(
            "pilotlight_clone_private_bytes",
            "Memory that only one process has: the mean of at most "
                + MAX_CLONES_READ
                + " processes of the function, read at most every "
                + MEMORY_AGE.toSeconds()
                + " seconds.",
            "function");
    // What was read a while ago may be of a function that has been removed since.
    for (ServedFunction function : registry.all()) {
      Double bytes = privateBytes.get(function.name());
      if (bytes != null) {
        family.addMetric(List.of(function.name()), bytes);
      }
    }
    return family;
  }

  private Map<String, Double> readPrivateMemory() {
    Map<String, Double> means = new LinkedHashMap<>();
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      if (current != null) {
        List<Long> read = new ArrayList<>();
        for (ServingJvm jvm : current.jvms()) {
          OptionalLong bytes = jvm.jvm().privateBytes();
          bytes.ifPresent(read::add);
          if (read.size() == MAX_CLONES_READ) {
            break;
          }
        }
        read.stream()
            .mapToLong(Long::longValue)
            .average()
            .ifPresent(mean -> means.put(function.name(), mean));
      }
    }
    return means;
  }
}
