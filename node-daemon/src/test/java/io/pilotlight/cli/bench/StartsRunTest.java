package io.pilotlight.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.cli.DaemonAccess;
import io.pilotlight.cli.DaemonClient;
import io.pilotlight.cli.FakeDaemon;
import io.pilotlight.cli.Start;
import io.pilotlight.engine.Isolation;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StartsRunTest {
  private static final Map<String, String> HEADERS =
      Map.of(
          "Pilotlight-Start-Seconds", "0.002",
          "Pilotlight-Handler-Seconds", "0.001",
          "Pilotlight-Clone", "c-1");

  @ParameterizedTest
  @CsvSource({"1000, 20, 20", "30, 3, 3", "10, 7, 7", "5, 20, 5", "5, 0, 0"})
  void spreadsColdStartsEvenly(int count, int coldCount, int expected) {
    StartsRun.Plan plan =
        new StartsRun.Plan(List.of(Start.COLD), ON, 0, count, coldCount, Duration.ZERO);

    int[] rounds =
        IntStream.range(0, count).filter(round -> plan.includes(Start.COLD, round)).toArray();

    assertThat(rounds).hasSize(expected);
    for (int i = 1; i < rounds.length; i++) {
      assertThat(rounds[i] - rounds[i - 1]).isBetween(count / expected, count / expected + 1);
    }
  }

  @Test
  void measuresEachStartAndReadsMemory() throws Exception {
    try (FakeDaemon daemon = new FakeDaemon()) {
      daemon.answer("POST /v1/functions/f/invocations", 200, HEADERS, "{\"ok\": true}");
      daemon.answer("POST /v1/functions/kept/invocations", 200, HEADERS, "{\"ok\": true}");
      daemon.answer(
          "GET /v1/clones", 200, "{\"clones\": [{\"id\": \"c-1\", \"privateBytes\": 4096}]}");

      List<Series> measured = run(daemon, new StartsRun.Plan(ALL, ON, 2, 10, 2, Duration.ZERO));

      assertThat(measured).extracting(Series::start).containsExactlyElementsOf(ALL);
      assertThat(measured).extracting(Series::count).containsExactly(2L, 10L, 10L);
      assertThat(measured).extracting(Series::failed).containsOnly(0);
      assertThat(measured).extracting(Series::clonePrivateBytes).containsOnly(4096L);
      assertThat(measured.get(0).startSeconds(50)).isBetween(0.00199, 0.00201);
    }
  }

  @Test
  void countsFailuresByReason() throws Exception {
    try (FakeDaemon daemon = new FakeDaemon()) {
      daemon.answer("POST /v1/functions/f/invocations", 502, HEADERS, "gone");
      daemon.answer("POST /v1/functions/kept/invocations", 200, HEADERS, "{}");
      daemon.answer("GET /v1/clones", 200, "[]");

      List<Series> measured =
          run(daemon, new StartsRun.Plan(List.of(Start.FORK), ON, 0, 3, 0, Duration.ofMillis(1)));

      assertThat(measured.get(0).failures()).containsExactly(Map.entry("status 502: gone", 3));
      assertThat(measured.get(0).count()).isZero();
    }
  }

  @Test
  void callsAFunctionOfItsOwnForEachVariant() throws Exception {
    try (FakeDaemon daemon = new FakeDaemon()) {
      daemon.answer("POST /v1/functions/f/invocations", 200, HEADERS, "{}");
      daemon.answer("POST /v1/functions/plain/invocations", 502, HEADERS, "no replay");
      daemon.answer("POST /v1/functions/kept/invocations", 200, HEADERS, "{}");
      daemon.answer("GET /v1/clones", 200, "[]");

      List<Series> measured =
          run(
              daemon,
              new StartsRun.Plan(
                  List.of(Start.FORK, Start.WARM),
                  List.of(Variant.USUAL, PLAIN),
                  0,
                  3,
                  0,
                  Duration.ZERO));

      assertThat(measured)
          .extracting(Series::label)
          .containsExactly("fork", "fork, sandbox, no replay", "warm");
      assertThat(measured).extracting(Series::failed).containsExactly(0, 3, 0);
    }
  }

  private static final Variant PLAIN = new Variant(false, Isolation.SANDBOX);
  private static final List<Variant> ON = List.of(Variant.USUAL);
  private static final List<Start> ALL = List.of(Start.COLD, Start.FORK, Start.WARM);

  private static List<Series> run(FakeDaemon daemon, StartsRun.Plan plan) throws Exception {
    return new StartsRun(
            new DaemonClient(DaemonAccess.open(daemon.uri())),
            BenchClock.SYSTEM,
            new TemplateWorkload("{\"n\": {{n}}}".getBytes(StandardCharsets.UTF_8)),
            new StartsRun.Functions(Map.of(Variant.USUAL, "f", PLAIN, "plain"), "kept"))
        .run(plan);
  }
}
