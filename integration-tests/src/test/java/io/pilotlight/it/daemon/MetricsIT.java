package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.Metrics;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code /metrics} tells after some traffic, good and bad. */
final class MetricsIT {
  private static final String ECHO = Api.object("do", "echo", "value", 1);

  @RegisterExtension static final Daemons daemons = new Daemons();
  private static Api api;
  private static Metrics metrics;

  @BeforeAll
  static void traffic() throws Exception {
    api = daemons.start().api();
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    ObjectNode probe = Api.usual(jar, Probe.class.getName());
    Path held = daemons.directory().resolve("held");
    api.deployed("imaged", Api.usual(jar, Probe.class.getName()).put("noImage", false));
    api.awaitImage("imaged");
    assertThat(api.invoke("imaged", ECHO, "Pilotlight-Start", "restore").start())
        .isEqualTo("restore");
    Metrics imaged = api.metrics();
    assertThat(imaged.sum("pilotlight_image_bytes", Map.of())).isGreaterThan(1 << 20);
    for (String phase : List.of("dump", "verify", "revive", "clone")) {
      assertThat(
              imaged.sum(
                  "pilotlight_engine_phase_duration_seconds_count",
                  Map.of("engine", "image", "phase", phase)))
          .as(phase)
          .isEqualTo(1);
    }
    assertThat(api.remove("imaged").status()).isEqualTo(204);
    probe.put("pool", 1).put("concurrency", 1).put("timeoutSeconds", 5);
    probe.put("warmupCount", 1);
    probe.set("warmupPayload", Api.json(Api.object("do", "await", "file", held.toString())));
    api.deployed("measured", probe);
    api.awaitClones("measured", "waiting", 1);
    for (String start : List.of("pool", "warm", "fork", "fork", "cold")) {
      assertThat(api.invoke("measured", ECHO, "Pilotlight-Start", start).start()).isEqualTo(start);
    }
    api.invoke("measured", Api.object("do", "throw"));
    api.invoke("measured", Api.object("do", "exit", "status", 1));
    var slow = api.invokeAsync("measured", Api.object("do", "hang"));
    api.awaitClones("measured", "busy", 1);
    assertThat(api.invoke("measured", ECHO).status()).isEqualTo(429);
    assertThat(slow.get().status()).isEqualTo(504);
    // Without a zygote a fork falls back to a cold start.
    Files.createFile(held);
    ProcessHandle.of(api.zygotePid("measured")).orElseThrow().destroyForcibly();
    Eventually.holds("the loss is known", () -> api.zygotePid("measured") == 0);
    Eventually.holds(
        "a cold start",
        () ->
            api.invoke(
                    "measured", Api.object("do", "exit", "status", 2), "Pilotlight-Start", "auto")
                .start()
                .equals("cold"));
    Files.delete(held);
    Eventually.holds("a new zygote", () -> api.zygotePid("measured") != 0);
    api.awaitClones("measured", "waiting", 1);
    // Counted after the answer: the last of them is there when the others are.
    Eventually.holds("the last count", () -> count("cold", "died") > 0);
    // Read from the kernel every ten seconds only.
    Eventually.holds(
        "private memory", () -> api.metric("pilotlight_clone_private_bytes", Map.of()) > 0);
    metrics = api.metrics();
  }

  private static double count(String start, String outcome) throws Exception {
    return api.metric(
        "pilotlight_invocations_total",
        Map.of("function", "measured", "start", start, "outcome", outcome));
  }

  @ParameterizedTest
  @CsvSource({
    "pilotlight_invocations_total, counter, function start outcome",
    "pilotlight_start_duration_seconds, histogram, function start le",
    "pilotlight_invocation_duration_seconds, histogram, function start le",
    "pilotlight_engine_phase_duration_seconds, histogram, engine phase le",
    "pilotlight_zygotes, gauge, state",
    "pilotlight_clones, gauge, function state",
    "pilotlight_zygote_resident_bytes, gauge, zygote",
    "pilotlight_clone_private_bytes, gauge, function",
    "pilotlight_fallbacks_total, counter, from to reason",
    "pilotlight_pool_size, gauge, function",
    "pilotlight_build_info, gauge, version",
  })
  void metricIsThere(String name, String type, String labels) {
    assertThat(metrics.types()).containsEntry(name, type);
    String sample = type.equals("histogram") ? name + "_bucket" : name;
    assertThat(metrics.labelNames(sample)).isEqualTo(Set.of(labels.split(" ", -1)));
  }

  @ParameterizedTest
  @CsvSource({
    "pool, success",
    "warm, success",
    "fork, success",
    "cold, success",
    "none, throttled"
  })
  void invocationsAreCountedByStart(String start, String outcome) {
    assertThat(invocations(Map.of("start", start, "outcome", outcome))).isGreaterThanOrEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"success, 5", "error, 1", "timeout, 1", "throttled, 1"})
  void invocationsAreCountedByOutcome(String outcome, int count) {
    assertThat(invocations(Map.of("outcome", outcome))).isEqualTo(count);
  }

  private static double invocations(Map<String, String> labels) {
    Map<String, String> all = new LinkedHashMap<>(labels);
    all.put("function", "measured");
    return metrics.sum("pilotlight_invocations_total", all);
  }

  @Test
  void histogramsAddUp() {
    Map<String, Double> last = new LinkedHashMap<>();
    for (String name :
        List.of(
            "pilotlight_start_duration_seconds",
            "pilotlight_invocation_duration_seconds",
            "pilotlight_engine_phase_duration_seconds")) {
      for (Metrics.Sample bucket : metrics.find(name + "_bucket", Map.of())) {
        Map<String, String> labels = new LinkedHashMap<>(bucket.labels());
        String bound = labels.remove("le");
        double before = last.getOrDefault(name + labels, 0.0);
        assertThat(bucket.value()).as(bucket.toString()).isGreaterThanOrEqualTo(before);
        last.put(name + labels, bucket.value());
        if (bound.equals("+Inf")) {
          assertThat(bucket.value()).isEqualTo(metrics.sum(name + "_count", labels));
        }
      }
    }
    assertThat(last).isNotEmpty();
    Map<String, String> forks = Map.of("function", "measured", "start", "fork");
    assertThat(metrics.sum("pilotlight_start_duration_seconds_count", forks)).isEqualTo(2);
    assertThat(metrics.sum("pilotlight_start_duration_seconds_sum", forks)).isBetween(1e-4, 60.0);
    assertThat(metrics.find("pilotlight_start_duration_seconds_bucket", forks).get(0).labels())
        .containsEntry("le", "1.0E-4");
  }

  @ParameterizedTest
  @CsvSource({"freeze", "collapse", "install", "clone"})
  void phasesOfTheEngineAreTimed(String phase) {
    assertThat(
            metrics.sum(
                "pilotlight_engine_phase_duration_seconds_count",
                Map.of("engine", "fork", "phase", phase)))
        .isGreaterThanOrEqualTo(1);
  }

  @Test
  void whatIsHeldIsCounted() {
    assertThat(metrics.sum("pilotlight_zygotes", Map.of("state", "frozen"))).isEqualTo(1);
    assertThat(metrics.sum("pilotlight_zygotes", Map.of("state", "lost"))).isZero();
    assertThat(metrics.sum("pilotlight_pool_size", Map.of("function", "measured"))).isEqualTo(1);
    assertThat(metrics.sum("pilotlight_clones", Map.of("state", "waiting"))).isEqualTo(1);
    assertThat(metrics.sum("pilotlight_clones", Map.of("state", "busy"))).isZero();
    assertThat(metrics.sum("pilotlight_zygote_resident_bytes", Map.of())).isGreaterThan(1 << 20);
    assertThat(metrics.sum("pilotlight_clone_private_bytes", Map.of())).isPositive();
    assertThat(metrics.find("pilotlight_build_info", Map.of()))
        .singleElement()
        .satisfies(info -> assertThat(info.labels().get("version")).matches("[0-9].*"));
  }

  @Test
  void fallbackIsCountedWithItsReason() {
    assertThat(
            metrics.sum(
                "pilotlight_fallbacks_total",
                Map.of("from", "fork", "to", "cold", "reason", "no-zygote")))
        .isGreaterThanOrEqualTo(1);
  }

  @Test
  void removedFunctionHasNoSeries() throws Exception {
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    api.deployed("passing", Api.usual(jar, Probe.class.getName()));
    Map<String, String> labels = Map.of("function", "passing");
    api.invoke("passing", ECHO);
    Eventually.holds(
        "its series", () -> !api.metrics().find("pilotlight_clones", labels).isEmpty());
    assertThat(api.remove("passing").status()).isEqualTo(204);
    assertThat(api.get("/metrics").text()).doesNotContain("passing");
  }

  @Test
  void openMetricsOnRequest() throws Exception {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(api.base() + "/metrics"))
                    .header("Accept", "application/openmetrics-text; version=1.0.0")
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(answer.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/openmetrics-text");
    assertThat(answer.body()).endsWith("# EOF\n");
  }
}
