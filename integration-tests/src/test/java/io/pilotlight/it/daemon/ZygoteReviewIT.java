package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cgroup.Controller;
import io.pilotlight.cgroup.Delegation;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Zygotes stay in memory where they are worth it, and go without anybody noticing. */
final class ZygoteReviewIT {
  private static final String COUNT = Api.object("do", "count");
  private static final String VERSION = Api.object("do", "settings");
  private static final int CALLERS = 3;
  private static final int VERSIONS = 2;

  /** So many answers of a version are to come before the next one is deployed. */
  private static final int ANSWERS = 20;

  @RegisterExtension static final Daemons daemons = new Daemons();
  private static DaemonProcess daemon;
  private static Api api;
  private static Path jar;

  @BeforeAll
  static void start() throws Exception {
    daemon = daemons.start();
    api = daemon.api();
    jar = FunctionJar.of(daemons.directory(), Probe.class);
  }

  private static ObjectNode probe(String zygoteMode) {
    return Api.usual(jar, Probe.class.getName())
        .put("noImage", false)
        .put("zygoteMode", zygoteMode)
        .put("oneShot", true);
  }

  private static JsonNode awaitEnd(Api of, String function) throws Exception {
    return Eventually.get(
        "the end of the zygote of " + function,
        () -> {
          JsonNode ended = of.function(function).path("zygoteReview").path("ended");
          return ended.isObject() ? ended : null;
        });
  }

  @Test
  void anImageServesAloneAndIsMadeAnewWhenItIsLost() throws Exception {
    long zygote = api.deployed("alone", probe("image").put("pool", 1)).at("/zygote/pid").asLong();
    assertThat(awaitEnd(api, "alone").get("reason").asText()).isEqualTo("image-mode");
    Eventually.holds("its process ends", () -> !ProcessTable.running(zygote));
    assertThat(api.function("alone").get("state").asText()).isEqualTo("ready");
    assertThat(api.metric("pilotlight_zygotes", Map.of("state", "image"))).isEqualTo(1);
    assertThat(api.metric("pilotlight_zygotes_ended_total", Map.of("reason", "image-mode")))
        .isPositive();
    assertThat(daemon.logLines("zygote in memory ended", "function=\"alone\"", "image-mode"))
        .hasSize(1);
    JsonNode listed = Api.json(api.get("/v1/zygotes").text()).get("zygotes");
    assertThat(listed).anyMatch(row -> row.toString().matches(".*\"alone\".*\"kind\":\"image\".*"));
    api.awaitClones("alone", "waiting", 1);
    for (String start : List.of("pool", "restore", "auto")) {
      assertThat(api.invoke("alone", COUNT, "Pilotlight-Start", start).text()).isEqualTo("1");
      api.awaitClones("alone", "waiting", 1);
    }
    Answer refused = api.invoke("alone", COUNT, "Pilotlight-Start", "fork");
    assertThat(refused.status()).isEqualTo(409);
    assertThat(refused.text()).contains("was ended", "zygoteMode 'memory'");
    assertThat(daemon.logLines("start fell back", "alone")).isEmpty();

    JsonNode image = api.awaitImage("alone");
    damage(Path.of(image.get("directory").asText()).resolve("pages"));
    ProcessHandle.of(image.get("pid").asLong()).orElseThrow().destroyForcibly();
    boolean cold = false;
    JsonNode now = api.function("alone").get("image");
    for (; !now.isObject() || now.get("id").equals(image.get("id")); ) {
      Answer answer = api.invoke("alone", COUNT);
      assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
      cold |= answer.start().equals("cold");
      now = api.function("alone").get("image");
    }
    assertThat(cold).as("calls started cold meanwhile").isTrue();
    assertThat(daemon.logLines("image not restored", "image-damaged")).hasSize(1);
    assertThat(daemon.logLines("zygote rebuilt", "alone")).hasSize(1);
    awaitEnd(api, "alone");
    assertThat(api.invoke("alone", COUNT, "Pilotlight-Start", "restore").text()).isEqualTo("1");
    assertThat(api.remove("alone").status()).isEqualTo(204);
  }

  private static void damage(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  /** What serves a call changes from version to version, and from zygote to image. */
  @ParameterizedTest
  @ValueSource(strings = {"memory", "image"})
  void noCallFailsWhileVersionsChange(String zygoteMode) throws Exception {
    String name = "changing-" + zygoteMode;
    deployVersion(name, zygoteMode, 0);
    AtomicBoolean done = new AtomicBoolean();
    AtomicIntegerArray answers = new AtomicIntegerArray(VERSIONS);
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    try {
      List<Future<Void>> calls = new ArrayList<>();
      for (int i = 0; i < CALLERS; i++) {
        calls.add(callers.submit(caller(name, done, answers)));
      }
      for (int version = 1; version < VERSIONS; version++) {
        awaitAnswers(answers, version - 1, calls);
        deployVersion(name, zygoteMode, version);
      }
      awaitAnswers(answers, VERSIONS - 1, calls);
      done.set(true);
      for (Future<Void> call : calls) {
        call.get();
      }
    } finally {
      done.set(true);
      callers.shutdownNow();
    }
    assertThat(daemon.logLines("start fell back", name)).isEmpty();
    assertThat(api.function(name).get("version").asInt()).isEqualTo(VERSIONS);
    assertThat(api.remove(name).status()).isEqualTo(204);
  }

  private static void deployVersion(String name, String zygoteMode, int version) throws Exception {
    ObjectNode definition = probe(zygoteMode).put("pool", 1);
    definition.putObject("env").put("PROBE", Integer.toString(version));
    api.deployed(name, definition);
    api.awaitImage(name);
    if (zygoteMode.equals("image")) {
      awaitEnd(api, name);
    }
  }

  /** Calls without a pause; once a version has answered, none before it may. */
  private static Callable<Void> caller(
      String name, AtomicBoolean done, AtomicIntegerArray answers) {
    return () -> {
      int newest = 0;
      while (!done.get()) {
        Answer answer = api.invoke(name, VERSION);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        assertThat(answer.start()).isNotEqualTo("cold");
        int version = answer.json().asText().charAt(0) - '0';
        assertThat(version).isGreaterThanOrEqualTo(newest);
        newest = version;
        answers.incrementAndGet(version);
      }
      return null;
    };
  }

  private static void awaitAnswers(
      AtomicIntegerArray answers, int version, List<Future<Void>> calls) throws Exception {
    Eventually.holds(
        "answers of version " + version,
        () -> {
          for (Future<Void> call : calls) {
            if (call.isDone()) {
              call.get(); // its failure
            }
          }
          return answers.get(version) >= ANSWERS;
        });
  }

  @Test
  void forksAreComparedWithRestoresAndTheZygoteFollows() throws Exception {
    api.deployed("compared", probe("auto"));
    api.awaitImage("compared");
    JsonNode review = api.function("compared").get("zygoteReview");
    assertThat(review.get("forks").asText()).isEqualTo("undecided");
    for (int calls = 0; review.get("forks").asText().equals("undecided"); calls++) {
      assertThat(calls).as("calls until it is known").isLessThan(100);
      assertThat(api.invoke("compared", COUNT).start()).isIn("fork", "restore");
      review = api.function("compared").get("zygoteReview");
    }
    double fork = review.at("/fork/medianSeconds").asDouble();
    double restore = review.at("/restore/medianSeconds").asDouble();
    assertThat(fork).isBetween(1e-4, 10.0);
    assertThat(restore).isBetween(1e-4, 10.0);
    assertThat(review.get("forks").asText())
        .isEqualTo(fork <= 0.8 * restore ? "pays" : "does-not-pay");
    if (review.get("forks").asText().equals("does-not-pay")) {
      assertThat(awaitEnd(api, "compared").get("message").asText()).contains("medians");
      assertThat(api.invoke("compared", COUNT).start()).isEqualTo("restore");
    } else {
      assertThat(api.zygotePid("compared")).isPositive();
    }
    assertThat(api.remove("compared").status()).isEqualTo(204);
  }

  @Test
  void aZygoteThatNobodyCallsGoes() throws Exception {
    long zygote =
        api.deployed("quiet", probe("auto").put("idleSeconds", 1)).at("/zygote/pid").asLong();
    assertThat(awaitEnd(api, "quiet").get("reason").asText()).isEqualTo("unused");
    Eventually.holds("its process ends", () -> !ProcessTable.running(zygote));
    assertThat(api.invoke("quiet", COUNT).start()).isEqualTo("restore");
    assertThat(api.remove("quiet").status()).isEqualTo(204);
  }

  @Test
  void zygotesKeepTheirBudget() throws Exception {
    Path config = Files.writeString(daemons.newData().resolve("config"), "{\"zygoteMemoryMib\":1}");
    Api strict = daemons.start("--config", config.toString()).api();
    long kept = strict.deployed("kept", probe("memory")).at("/zygote/pid").asLong();
    strict.deployed("yielding", probe("auto"));
    JsonNode ended = awaitEnd(strict, "yielding");
    assertThat(ended.get("reason").asText()).isEqualTo("budget");
    assertThat(ended.get("message").asText()).contains("1 MiB", "zygoteMemoryMib");
    assertThat(strict.invoke("yielding", COUNT).start()).isEqualTo("restore");
    strict.awaitImage("kept");
    assertThat(strict.zygotePid("kept")).isEqualTo(kept);
  }

  /** In a control group whose limit is set so that little is left: by root in a v1 hierarchy. */
  @Test
  void zygotesGoWhenMemoryIsShort() throws Exception {
    assumeTrue(
        Delegation.here() instanceof Delegation.Legacy, "control groups v1 in which others can be");
    Path own = ((Delegation.Legacy) Delegation.here()).own().get(Controller.MEMORY);
    Path group = Files.createTempDirectory(own, "pilotlight-it-short-");
    String enter = "echo 0 > " + group.resolve("tasks") + " && exec \"$@\"";
    DaemonProcess.Setup setup = DaemonProcess.Setup.on(daemons.newData());
    DaemonProcess limited =
        daemons.start(
            new DaemonProcess.Setup(
                setup.installation(), setup.data(), List.of("sh", "-c", enter, "sh"), List.of()));
    try {
      Api inside = limited.api();
      inside.deployed("kept", probe("memory"));
      inside.deployed("yielding", probe("auto"));
      inside.awaitImage("kept");
      inside.awaitImage("yielding");
      long used = number(group.resolve("memory.usage_in_bytes"), "");
      long files = number(group.resolve("memory.stat"), "total_inactive_file ");
      Files.writeString(
          group.resolve("memory.limit_in_bytes"), Long.toString((long) ((used - files) / 0.96)));
      JsonNode ended = awaitEnd(inside, "yielding");
      Files.writeString(group.resolve("memory.limit_in_bytes"), "-1");
      assertThat(ended.get("reason").asText()).isEqualTo("memory-pressure");
      assertThat(ended.get("message").asText()).contains(group.getFileName().toString(), "left");
      assertThat(inside.invoke("yielding", COUNT).start()).isEqualTo("restore");
      assertThat(inside.zygotePid("kept")).isPositive();
    } finally {
      limited.signalEnd();
      limited.awaitEnd();
      Files.delete(group);
    }
  }

  private static long number(Path file, String name) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> Long.parseLong(line.substring(name.length()).strip()))
        .findFirst()
        .orElseThrow();
  }
}
