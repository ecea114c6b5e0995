package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.cli.CliException;
import io.pilotlight.cli.DaemonClient;
import io.pilotlight.cli.Start;
import io.pilotlight.zygote.ImageStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Measures the kinds of start against each other: one call of each in turn, round after round, so
 * that whatever else the machine does meets all of them alike.
 */
public final class StartsRun {
  private static final int MEMORY_PROBES = 3;
  private static final Duration IMAGE_WAIT = Duration.ofMinutes(2);
  private static final Duration IMAGE_POLL = Duration.ofMillis(50);

  /** The daemon's answer when a start is asked for and, say, the pool is being refilled. */
  private static final int START_NOT_POSSIBLE = 409;

  private final DaemonClient client;
  private final BenchClock clock;
  private final Workload workload;
  private final Functions functions;
  private final Map<String, Path> images = new HashMap<>();
  private int calls;

  /**
   * Prepares a run.
   *
   * @param client of the daemon that has the functions
   * @param clock measures
   * @param workload the calls
   * @param functions which functions are called
   */
  public StartsRun(DaemonClient client, BenchClock clock, Workload workload, Functions functions) {
    this.client = client;
    this.clock = clock;
    this.workload = workload;
    this.functions = functions;
  }

  /**
   * The same function under several names.
   *
   * @param fresh whose processes serve one call: for cold, restore, fork and pool
   * @param kept whose processes are kept: for warm
   */
  public record Functions(Map<Variant, String> fresh, String kept) {
    String of(Series series) {
      return series.start() == Start.WARM ? kept : usual(series.variant());
    }

    private String usual(Variant variant) {
      return Objects.requireNonNull(fresh.get(variant), variant::toString);
    }
  }

  /**
   * Milliseconds in which a one-shot clone ends and the pool is filled again, on two processors.
   */
  public static final String DEFAULT_GAP_MILLIS = "60";

  /**
   * How much to measure.
   *
   * @param starts the kinds, in the order of a round
   * @param variants in which forks and clones of the pool are measured; all else in the first
   * @param warmupRounds rounds before, of all kinds but cold: the daemon is a JVM too, and its own
   *     code must be compiled before anything is measured
   * @param count rounds
   * @param coldCount how many of the rounds have a cold start, spread evenly
   * @param gap between two calls: time for the daemon to end one process and to fill the pool,
   *     which would else be measured as a part of the next start
   * @param evictImage whether the image is dropped from the page cache before each restore, which
   *     is measured in all variants then
   */
  public record Plan(
      List<Start> starts,
      List<Variant> variants,
      int warmupRounds,
      int count,
      int coldCount,
      Duration gap,
      boolean evictImage) {
    /** With images left where they are. */
    public Plan(
        List<Start> starts,
        List<Variant> variants,
        int warmupRounds,
        int count,
        int coldCount,
        Duration gap) {
      this(starts, variants, warmupRounds, count, coldCount, gap, false);
    }

    /** What is measured in a round. */
    List<Series> series() {
      List<Series> series = new ArrayList<>();
      for (Start start : starts) {
        boolean differ =
            start == Start.FORK || start == Start.POOL || (evictImage && start == Start.RESTORE);
        for (Variant variant : differ ? variants : variants.subList(0, 1)) {
          series.add(new Series(start, variant));
        }
      }
      return series;
    }

    boolean includes(Start start, int round) {
      if (start != Start.COLD) {
        return true;
      }
      int colds = Math.min(coldCount, count);
      // True for exactly `colds` of the rounds, the first among them.
      return colds > 0 && (long) round * colds % count < colds;
    }
  }

  /** Runs the plan. */
  public List<Series> run(Plan plan) throws CliException {
    List<Series> measured = plan.series();
    try (MeasuringClient http = new MeasuringClient(client.daemon(), clock)) {
      prime(http, plan);
      for (int round = 0; round < plan.count(); round++) {
        for (Series series : measured) {
          if (plan.includes(series.start(), round)) {
            clock.pause(plan.gap());
            if (plan.evictImage() && series.start() == Start.RESTORE) {
              evict(functions.of(series));
            }
            call(http, series);
          }
        }
      }
      for (Series series : measured) {
        if (series.variant().equals(plan.variants().get(0))) {
          series.privateBytes(privateBytes(http, series.start()));
        }
      }
    } catch (IOException e) {
      throw new CliException("the connection to " + client.daemon() + " failed: " + e);
    }
    return measured;
  }

  /** An image is written after the deploy. */
  private Path awaitImage(String function) throws CliException {
    long end = clock.nanos() + IMAGE_WAIT.toNanos();
    while (true) {
      JsonNode described = client.function(function);
      if (described.path("image").isObject()) {
        return Path.of(described.path("image").path("directory").asText());
      }
      if (described.path("imageError").isTextual()) {
        throw new CliException(
            "function '" + function + "' has no image: " + described.get("imageError").asText());
      }
      if (clock.nanos() - end > 0) {
        throw new CliException(
            "function '" + function + "' had no image within " + IMAGE_WAIT.toSeconds() + " s");
      }
      clock.pause(IMAGE_POLL);
    }
  }

  /** As if the function had not been called for long. */
  private void evict(String function) throws IOException {
    Path image = Objects.requireNonNull(images.get(function), function);
    ImageStore.dropFromPageCache(image);
  }

  private void prime(MeasuringClient http, Plan plan) throws IOException, CliException {
    if (plan.starts().contains(Start.RESTORE)) {
      Set<String> restored = new LinkedHashSet<>(List.of(functions.kept()));
      for (Series series : plan.series()) {
        if (series.start() == Start.RESTORE) {
          restored.add(functions.of(series));
        }
      }
      for (String function : restored) {
        images.put(function, awaitImage(function));
      }
    }
    if (plan.starts().contains(Start.WARM)) {
      // So that there is a clone that has served.
      http.invoke(functions.kept(), Start.AUTO, workload.payload(calls++));
    }
    for (int round = 0; round < plan.warmupRounds(); round++) {
      for (Series series : plan.series()) {
        if (series.start() != Start.COLD) {
          call(http, series);
        }
      }
    }
  }

  private void call(MeasuringClient http, Series series) throws IOException {
    int n = calls++;
    byte[] payload = workload.payload(n);
    MeasuringClient.Exchange answer = http.invoke(functions.of(series), series.start(), payload);
    if (answer.status() == START_NOT_POSSIBLE) {
      series.missed();
      return;
    }
    if (answer.status() != 200) {
      series.fail("status " + answer.status() + ": " + new String(answer.body(), UTF_8));
      return;
    }
    Optional<String> problem = workload.problem(n, answer.body());
    if (problem.isPresent()) {
      series.fail(problem.get());
    } else if (series.start() != Start.AUTO
        && !answer.header("pilotlight-start").equals(series.start().toString())) {
      series.missed();
    } else {
      series.add(
          answer.seconds("pilotlight-start-seconds"),
          answer.seconds("pilotlight-handler-seconds"),
          answer.nanos());
    }
  }

  /** The median of a few processes, read after their first call while they are kept. */
  private OptionalLong privateBytes(MeasuringClient http, Start start)
      throws IOException, CliException {
    LongStream.Builder found = LongStream.builder();
    for (int i = 0; i < MEMORY_PROBES; i++) {
      MeasuringClient.Exchange answer =
          http.invoke(functions.kept(), start, workload.payload(calls++));
      String clone = answer.header("pilotlight-clone");
      for (JsonNode row : client.list("/v1/clones")) {
        if (row.path("id").asText().equals(clone) && row.path("privateBytes").asLong() > 0) {
          found.add(row.path("privateBytes").asLong());
        }
      }
    }
    long[] sorted = found.build().sorted().toArray();
    return sorted.length == 0 ? OptionalLong.empty() : OptionalLong.of(sorted[sorted.length / 2]);
  }
}
