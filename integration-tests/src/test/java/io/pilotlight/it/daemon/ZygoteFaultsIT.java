package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.functions.Unfit;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Zygotes that are killed: requests are answered all the same, and a new one is built. */
final class ZygoteFaultsIT {
  private static final String ECHO = Api.object("do", "echo", "value", "answered");

  @RegisterExtension static final Daemons daemons = new Daemons();
  private static DaemonProcess daemon;
  private static Api api;
  private static Path jar;

  @BeforeAll
  static void start() throws Exception {
    daemon = daemons.start();
    api = daemon.api();
    jar = FunctionJar.of(daemons.directory(), Probe.class, Unfit.class);
  }

  private static ObjectNode probe() {
    return Api.definition(jar, Probe.class.getName());
  }

  @Test
  void killedWhileFrozen() throws Exception {
    // Its new zygote is not frozen before the test says so: warm-up calls wait for a file to go.
    Path held = daemons.directory().resolve("frozen-held");
    api.deployed("frozen", heldUp(held).put("oneShot", true));
    assertForked("frozen");
    long zygote = api.zygotePid("frozen");
    Files.createFile(held);
    kill(zygote);
    Eventually.holds("the loss is known", () -> api.zygotePid("frozen") == 0);

    Answer answer = api.invoke("frozen", ECHO);
    assertThat(answer.text()).isEqualTo("\"answered\"");
    assertThat(answer.start()).isEqualTo("cold");
    assertThat(api.invoke("frozen", ECHO, "Pilotlight-Start", "fork").status()).isEqualTo(409);
    assertThat(api.metric("pilotlight_fallbacks_total", Map.of("from", "fork", "to", "cold")))
        .isGreaterThanOrEqualTo(1);
    assertThat(daemon.logLines("start fell back", "function=\"frozen\"", "from=\"fork\""))
        .isNotEmpty()
        .allMatch(line -> line.contains("to=\"cold\"") && line.contains("reason=\"no-zygote\""));
    assertThat(daemon.logLines("zygote lost", "function=\"frozen\"", "signal 9")).hasSize(1);

    Files.delete(held);
    awaitZygote("frozen", zygote);
    assertForked("frozen");
    assertThat(daemon.logLines("zygote rebuilt", "function=\"frozen\"")).hasSize(1);
  }

  @Test
  void killedWhilePoolWaits() throws Exception {
    api.deployed("pooled", probe().put("pool", 2));
    api.awaitClones("pooled", "waiting", 2);
    long zygote = api.zygotePid("pooled");
    kill(zygote);
    // Clones that wait do not need their zygote any more.
    Answer answer = api.invoke("pooled", ECHO, "Pilotlight-Start", "pool");
    assertThat(answer.text()).isEqualTo("\"answered\"");
    awaitZygote("pooled", zygote);
    api.awaitClones("pooled", "waiting", 2);
  }

  @Test
  void killedWhileForking() throws Exception {
    api.deployed("forking", probe().put("oneShot", true).put("pool", 1));
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService callers = Executors.newFixedThreadPool(4);
    try {
      List<Future<List<Answer>>> loads = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        loads.add(callers.submit(() -> callUntil(over)));
      }
      long zygote = 0;
      for (int kills = 0; kills < 3; kills++) {
        zygote = awaitZygote("forking", zygote);
        double forks = forked("forking");
        Eventually.holds("forks under way", () -> forked("forking") > forks + 5);
        kill(zygote);
      }
      awaitZygote("forking", zygote);
      over.set(true);
      for (Future<List<Answer>> load : loads) {
        List<Answer> answers = load.get(120, TimeUnit.SECONDS);
        assertThat(answers).isNotEmpty();
        assertThat(answers).allMatch(answer -> answer.text().equals("\"answered\""));
      }
    } finally {
      over.set(true);
      callers.shutdownNow();
    }
    assertForked("forking");
  }

  private static List<Answer> callUntil(AtomicBoolean over) throws Exception {
    List<Answer> answers = new ArrayList<>();
    while (!over.get()) {
      answers.add(api.invoke("forking", ECHO));
    }
    return answers;
  }

  private static double forked(String function) throws Exception {
    return api.metric("pilotlight_invocations_total", Map.of("function", function, "start", "fork"))
        + api.metric("pilotlight_invocations_total", Map.of("function", function, "start", "pool"));
  }

  @Test
  void killedWhileDeployed() throws Exception {
    Path blocker = Files.createFile(daemons.directory().resolve("blocker"));
    ObjectNode definition = Api.definition(jar, Unfit.Waits.class.getName());
    definition.putObject("env").put("BLOCKER", blocker.toString());
    List<Integer> before = pids();
    CompletableFuture<Answer> deployment = api.deployAsync("unborn", definition);
    kill(newProcess(before));
    Answer answer = deployment.get(60, TimeUnit.SECONDS);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
    assertThat(answer.json().get("detail").asText()).contains("killed by signal 9");
    assertThat(api.get("/v1/functions/unborn").status()).isEqualTo(404);
    // The next attempt is as good as a first.
    Files.delete(blocker);
    api.deployed("unborn", definition);
    assertThat(api.invoke("unborn", "\"a\"").text()).isEqualTo("\"a\"");
  }

  @Test
  void killedWhileRebuilt() throws Exception {
    Path held = daemons.directory().resolve("rebuilt-held");
    api.deployed("rebuilt", heldUp(held));
    long zygote = api.zygotePid("rebuilt");
    Files.createFile(held);
    List<Integer> before = pids();
    kill(zygote);
    long unfinished = newProcess(before);
    Eventually.holds(
        "the new zygote's warm-up",
        () -> api.function("rebuilt").path("build").path("stage").asText().equals("warming"));
    assertThat(api.invoke("rebuilt", ECHO).start()).isEqualTo("cold");
    kill(unfinished);
    Eventually.holds(
        "the failed build is told",
        () -> !daemon.logLines("zygote not built", "function=\"rebuilt\"", "signal 9").isEmpty());
    assertThat(api.invoke("rebuilt", ECHO).text()).isEqualTo("\"answered\"");
    Files.delete(held);
    awaitZygote("rebuilt", zygote);
    assertForked("rebuilt");
    JsonNode function = api.function("rebuilt");
    assertThat(function.get("state").asText()).isEqualTo("ready");
    assertThat(function.get("lastError").isNull()).isTrue();
  }

  /** A function whose warm-up, and so its zygote's build, lasts as long as the file is there. */
  private static ObjectNode heldUp(Path file) {
    ObjectNode definition = probe().put("warmupCount", 1);
    definition.set("warmupPayload", Api.json(Api.object("do", "await", "file", file.toString())));
    return definition;
  }

  private static void assertForked(String function) throws Exception {
    Answer answer = api.invoke(function, ECHO, "Pilotlight-Start", "fork");
    assertThat(answer.text()).isEqualTo("\"answered\"");
    assertThat(answer.start()).isEqualTo("fork");
  }

  /** Waits until the function has a frozen zygote that is not {@code old}; returns its pid. */
  private static long awaitZygote(String function, long old) throws Exception {
    return Eventually.get(
        "a zygote of " + function + " other than " + old,
        () -> {
          JsonNode zygote = api.function(function).path("zygote");
          boolean ready = zygote.path("state").asText().equals("frozen");
          long pid = zygote.path("pid").asLong();
          return ready && pid != old ? pid : null;
        });
  }

  private static void kill(long pid) {
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
  }

  private static List<Integer> pids() throws Exception {
    return daemon.functionProcesses().stream().map(ProcessTable.Entry::pid).toList();
  }

  private static long newProcess(List<Integer> before) throws Exception {
    return Eventually.get(
        "a new JVM",
        () -> pids().stream().filter(pid -> !before.contains(pid)).findFirst().orElse(null));
  }
}
