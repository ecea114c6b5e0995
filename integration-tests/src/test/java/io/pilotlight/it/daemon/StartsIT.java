package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import io.pilotlight.it.support.TestJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How an invocation gets its process, and what becomes of that process afterwards. */
final class StartsIT {
  private static final String COUNT = Api.object("do", "count");

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

  private static ObjectNode probe() {
    return Api.definition(jar, Probe.class.getName());
  }

  @Test
  void eachStartSaysWhatItIs() throws Exception {
    api.deployed("each", probe().put("pool", 1));
    api.awaitClones("each", "waiting", 1);
    for (String start : List.of("cold", "fork", "pool")) {
      Answer answer = by(start, "each");
      // Each process counts its own calls: none has served before, and the zygote never serves.
      assertThat(answer.text()).as(start).isEqualTo("1");
      assertThat(answer.start()).isEqualTo(start);
      assertThat(Double.parseDouble(answer.header("Pilotlight-Start-Seconds")))
          .isBetween(1e-6, 60.0);
      assertThat(Double.parseDouble(answer.header("Pilotlight-Handler-Seconds"))).isNotNegative();
      assertThat(ids("each")).contains(answer.header("Pilotlight-Clone"));
    }
    Answer warm = by("warm", "each");
    assertThat(warm.text()).isEqualTo("2");
    assertThat(warm.start()).isEqualTo("warm");
  }

  private static Answer by(String start, String function) throws Exception {
    return api.invoke(function, COUNT, "Pilotlight-Start", start);
  }

  private static List<String> ids(String function) throws Exception {
    return api.clones(function).stream().map(clone -> clone.get("id").asText()).toList();
  }

  @Test
  void fastestStartIsChosen() throws Exception {
    api.deployed("fastest", probe().put("pool", 1));
    api.awaitClones("fastest", "waiting", 1);
    Answer first = api.invoke("fastest", COUNT);
    assertThat(first.start()).isEqualTo("pool");
    Answer second = api.invoke("fastest", COUNT, "Pilotlight-Start", "auto");
    assertThat(second.start()).isEqualTo("warm");
    assertThat(second.header("Pilotlight-Clone")).isEqualTo(first.header("Pilotlight-Clone"));
    assertThat(second.text()).isEqualTo("2");
  }

  /** A clone without hooks is killed after its call; one with hooks ends in order. */
  @Test
  void oneShotProcessRunsItsShutdownHooks() throws Exception {
    api.deployed("hooked", probe().put("oneShot", true));
    Path file = daemons.directory().resolve("hook-ran");
    Answer answer = api.invoke("hooked", Api.object("do", "hook", "file", file.toString()));
    assertThat(answer.start()).isEqualTo("fork");
    Eventually.holds("the hook has run", () -> Files.exists(file));
    Eventually.holds("the process has ended", () -> ids("hooked").isEmpty());
  }

  @Test
  void oneShotProcessServesOnce() throws Exception {
    api.deployed("once", probe().put("oneShot", true));
    for (int i = 0; i < 5; i++) {
      Answer answer = api.invoke("once", COUNT);
      assertThat(answer.start()).isEqualTo("fork");
      assertThat(answer.text()).isEqualTo("1");
    }
    Eventually.holds("all have ended", () -> api.clones("once").isEmpty());
    assertThat(by("warm", "once").status()).isEqualTo(409);
  }

  @Test
  void startIsNotPossible() throws Exception {
    api.deployed("bare", probe());
    Answer warm = by("warm", "bare");
    assertThat(warm.status()).isEqualTo(409);
    assertThat(warm.json().get("type").asText()).isEqualTo("urn:pilotlight:start-not-possible");
    assertThat(by("pool", "bare").json().get("detail").asText()).contains("pool of 0");
    Answer restore = by("restore", "bare");
    assertThat(restore.status()).isEqualTo(409);
    assertThat(restore.json().get("detail").asText()).contains("noImage");
    Answer unknown = by("teleport", "bare");
    assertThat(unknown.status()).isEqualTo(400);
    assertThat(unknown.json().get("detail").asText()).contains("teleport", "fork");
  }

  @Test
  void poolIsRefilled() throws Exception {
    api.deployed("refilled", probe().put("pool", 3).put("oneShot", true));
    List<Long> waiting = api.awaitClones("refilled", "waiting", 3);
    for (int i = 0; i < 3; i++) {
      assertThat(by("pool", "refilled").text()).isEqualTo("1");
    }
    Eventually.holds(
        "a pool of others",
        () -> {
          List<Long> now = api.awaitClones("refilled", "waiting", 3);
          return now.stream().noneMatch(waiting::contains);
        });
    for (long pid : waiting) {
      Eventually.holds("the end of " + pid, () -> !ProcessTable.running(pid));
    }
  }

  @Test
  void waitingCloneHasOneThread() throws Exception {
    api.deployed("quiet", probe().put("pool", 1));
    long pid = api.awaitClones("quiet", "waiting", 1).get(0);
    assertThat(threads(pid)).isEqualTo(1);
    assertThat(by("pool", "quiet").text()).isEqualTo("1");
    assertThat(threads(pid)).isGreaterThan(5);
    assertThat(TestJvm.run("jcmd", Long.toString(pid), "Thread.print")).contains("\"main\"");
  }

  private static int threads(long pid) {
    return Path.of("/proc/" + pid + "/task").toFile().list().length;
  }

  @Test
  void idleProcessesEnd() throws Exception {
    api.deployed("idle", probe().put("idleSeconds", 1));
    List<Long> pids = new ArrayList<>();
    for (String start : List.of("fork", "cold")) {
      Answer answer = api.invoke("idle", Api.object("do", "pid"), "Pilotlight-Start", start);
      pids.add(answer.json().asLong());
    }
    assertThat(pids).doesNotHaveDuplicates();
    Eventually.holds("no idle process", () -> api.clones("idle").isEmpty());
    for (long pid : pids) {
      Eventually.holds("the end of " + pid, () -> !ProcessTable.running(pid));
    }
    assertThat(api.invoke("idle", COUNT).start()).isEqualTo("fork");
  }

  @Test
  void settingsAreThereWhenClassesInitialise() throws Exception {
    ObjectNode definition = probe();
    definition.putObject("env").put("PROBE", "from the environment, ü");
    definition.putArray("jvmArgs").add("-Dprobe=from a property");
    api.deployed("settings", definition);
    for (String start : List.of("fork", "cold")) {
      Answer answer =
          api.invoke("settings", Api.object("do", "settings"), "Pilotlight-Start", start);
      assertThat(answer.json().asText()).isEqualTo("from the environment, ü,from a property");
    }
  }

  @Test
  void newVersionTakesOver() throws Exception {
    ObjectNode definition = probe().put("pool", 1);
    definition.putObject("env").put("PROBE", "one");
    assertThat(api.deployed("versions", definition).get("version").asInt()).isEqualTo(1);
    assertThat(settings("versions")).startsWith("one,");
    long old = api.zygotePid("versions");
    List<Long> clones = api.clones("versions").stream().map(c -> c.get("pid").asLong()).toList();
    definition.putObject("env").put("PROBE", "two");
    assertThat(api.deploy("versions", definition).status()).isEqualTo(200);
    assertThat(settings("versions")).startsWith("two,");
    Eventually.holds("the end of the old zygote", () -> !ProcessTable.running(old));
    for (long pid : clones) {
      Eventually.holds("the end of the old clone", () -> !ProcessTable.running(pid));
    }
    JsonNode function = api.function("versions");
    assertThat(function.get("version").asInt()).isEqualTo(2);
    long zygote = api.zygotePid("versions");
    assertThat(api.remove("versions").status()).isEqualTo(204);
    assertThat(api.invoke("versions", COUNT).status()).isEqualTo(404);
    Eventually.holds("the end of the zygote", () -> !ProcessTable.running(zygote));
  }

  private static String settings(String function) throws Exception {
    return api.invoke(function, Api.object("do", "settings")).json().asText();
  }

  @Test
  void functionsRunOnTheJdkUnderTest() throws Exception {
    api.deployed("jdk", probe());
    String home = TestJvm.home().toString();
    assertThat(daemon.functionProcesses())
        .isNotEmpty()
        .allMatch(process -> process.command().get(0).startsWith(home));
  }
}
