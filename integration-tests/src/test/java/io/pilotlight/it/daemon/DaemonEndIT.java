package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Daemons that are ended, well and badly, while they are busy. */
final class DaemonEndIT {
  /** What a JVM ends with that was ended by SIGTERM. */
  private static final int TERMINATED = 128 + 15;

  private static final String ECHO = Api.object("do", "echo", "value", "answered");

  @RegisterExtension final Daemons daemons = new Daemons();

  private ObjectNode probe() throws IOException {
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    return Api.definition(jar, Probe.class.getName());
  }

  @Test
  void terminatedUnderLoad() throws Exception {
    DaemonProcess daemon = daemons.start();
    Api api = daemon.api();
    Path held = Files.createFile(daemons.directory().resolve("held"));
    api.deployed("probe", probe().put("pool", 2));
    List<CompletableFuture<Answer>> running = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      running.add(api.invokeAsync("probe", Api.object("do", "await", "file", held.toString())));
    }
    running.add(api.invokeLambdaAsync("probe", Api.object("do", "await", "file", held.toString())));
    api.awaitClones("probe", "busy", 5);

    daemon.signalEnd();
    Eventually.holds("it is not ready any more", () -> api.get("/readyz").status() == 503);
    Answer refused = api.invoke("probe", ECHO);
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.json().get("type").asText()).isEqualTo("urn:pilotlight:stopping");
    assertThat(refused.header("Retry-After")).isNotEmpty();
    assertThat(api.invokeLambda("probe", ECHO).status()).isEqualTo(503);
    assertThat(api.deploy("late", probe()).status()).isEqualTo(503);
    assertThat(running).noneMatch(CompletableFuture::isDone);

    Files.delete(held);
    for (CompletableFuture<Answer> call : running) {
      assertThat(call.get(60, TimeUnit.SECONDS).text()).isEqualTo("\"gone\"");
    }
    assertThat(daemon.awaitEnd()).isEqualTo(TERMINATED);
    assertNothingLeft(daemon);
    assertThat(daemon.logLines(" ERROR ")).isEmpty();
  }

  @Test
  void terminatedWhileACallHangs() throws Exception {
    Path config = daemons.directory().resolve("config.json");
    Files.writeString(config, "{\"drainSeconds\": 1}");
    DaemonProcess daemon = daemons.start("--config", config.toString());
    daemon.api().deployed("probe", probe().put("timeoutSeconds", 600));
    CompletableFuture<Answer> call = daemon.api().invokeAsync("probe", Api.object("do", "hang"));
    daemon.api().awaitClones("probe", "busy", 1);
    daemon.signalEnd();
    Answer answer = call.get(60, TimeUnit.SECONDS);
    assertThat(answer.status()).isEqualTo(502);
    assertThat(daemon.awaitEnd()).isEqualTo(TERMINATED);
    assertNothingLeft(daemon);
  }

  private static void assertNothingLeft(DaemonProcess daemon) throws Exception {
    assertThat(daemon.functionProcesses()).isEmpty();
    assertThat(daemon.runFiles()).containsExactly("owner");
    assertThat(boundSockets(daemon)).isEmpty();
    try (Stream<Path> files = Files.list(daemon.setup().data())) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("functions", "images", "jars", "lock", "run");
    }
    assertThatThrownBy(
            () ->
                new Socket(InetAddress.getLoopbackAddress(), daemon.api().base().getPort()).close())
        .isInstanceOf(ConnectException.class);
  }

  private static List<String> boundSockets(DaemonProcess daemon) throws IOException {
    String run = daemon.setup().data().resolve("run").toString();
    return Files.readAllLines(Path.of("/proc/net/unix")).stream()
        .filter(line -> line.contains(run))
        .toList();
  }

  @Test
  void killedUnderLoad() throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe().put("pool", 2).put("timeoutSeconds", 600));
    long zygote = first.api().zygotePid("probe");
    List<CompletableFuture<Answer>> lost = hangingCalls(first.api(), 3);
    first.api().awaitClones("probe", "waiting", 2);
    List<Long> clones = pids(first.api().clones("probe"));
    assertThat(clones).hasSize(5);
    first.kill();
    for (CompletableFuture<Answer> call : lost) {
      assertThatThrownBy(() -> call.get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class);
    }

    DaemonProcess second = daemons.start(first.setup());
    assertAdopted(second, zygote);
    for (long pid : clones) {
      assertThat(ProcessTable.running(pid)).as("clone %d of the killed daemon", pid).isFalse();
    }
    assertServes(second.api());

    // A second time: now the clones are not children of the daemon that dies.
    List<CompletableFuture<Answer>> lostAgain = hangingCalls(second.api(), 2);
    List<Long> orphans = pids(second.api().clones("probe", "busy"));
    second.kill();
    for (CompletableFuture<Answer> call : lostAgain) {
      assertThatThrownBy(() -> call.get(60, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class);
    }
    DaemonProcess third = daemons.start(first.setup());
    assertAdopted(third, zygote);
    for (long pid : orphans) {
      assertThat(ProcessTable.running(pid)).as("clone %d of the second daemon", pid).isFalse();
    }
    assertServes(third.api());
    third.signalEnd();
    assertThat(third.awaitEnd()).isEqualTo(TERMINATED);
    assertNothingLeft(third);
  }

  private static List<CompletableFuture<Answer>> hangingCalls(Api api, int count) throws Exception {
    List<CompletableFuture<Answer>> calls = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      calls.add(api.invokeAsync("probe", Api.object("do", "hang"), "Pilotlight-Start", "fork"));
    }
    api.awaitClones("probe", "busy", count);
    return calls;
  }

  private static List<Long> pids(List<JsonNode> clones) {
    return clones.stream().map(clone -> clone.get("pid").asLong()).toList();
  }

  private static void assertAdopted(DaemonProcess daemon, long zygote) throws Exception {
    JsonNode found = daemon.api().function("probe").path("zygote");
    assertThat(found.path("pid").asLong()).isEqualTo(zygote);
    assertThat(found.path("adopted").asBoolean()).isTrue();
    assertThat(found.path("state").asText()).isEqualTo("frozen");
    assertThat(
            daemon.logLines(
                "function loaded",
                "function=\"probe\"",
                "adopted=\"" + found.path("id").asText() + "\""))
        .hasSize(1);
    assertThat(daemon.logLines("zygote rebuilt")).isEmpty();
    List<String> files = daemon.runFiles();
    String id = found.path("id").asText();
    assertThat(files).containsExactlyInAnyOrder("owner", id + ".sock", id + ".zygote");
  }

  private static void assertServes(Api api) throws Exception {
    for (String start : List.of("fork", "warm", "cold")) {
      Answer answer = api.invoke("probe", ECHO, "Pilotlight-Start", start);
      assertThat(answer.text()).isEqualTo("\"answered\"");
      assertThat(answer.start()).isEqualTo(start);
    }
    api.awaitClones("probe", "waiting", 2);
    assertThat(api.invoke("probe", ECHO, "Pilotlight-Start", "pool").start()).isEqualTo("pool");
  }

  @Test
  void killedWhileItBuildsAndOneOfItsZygotesDiesToo() throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe().put("pool", 2));
    first.api().awaitClones("probe", "waiting", 2);
    long dead = first.api().zygotePid("probe");
    Path held = Files.createFile(daemons.directory().resolve("held"));
    ObjectNode unfinished = probe().put("warmupCount", 1);
    unfinished.set("warmupPayload", Api.json(Api.object("do", "await", "file", held.toString())));
    CompletableFuture<Answer> deployment = first.api().deployAsync("unfinished", unfinished);
    Eventually.holds(
        "warm-up",
        () ->
            first
                .api()
                .function("unfinished")
                .path("build")
                .path("stage")
                .asText()
                .equals("warming"));
    List<ProcessTable.Entry> before = first.functionProcesses();
    assertThat(before).hasSize(4); // two zygotes, one of them unfinished, and two clones
    first.kill();
    ProcessHandle.of(dead).orElseThrow().destroyForcibly();
    assertThatThrownBy(() -> deployment.get(60, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class);

    DaemonProcess second = daemons.start(first.setup());
    assertThat(second.logLines("process of an earlier daemon ended", "had already ended"))
        .hasSize(1);
    assertThat(second.api().get("/v1/functions/unfinished").status()).isEqualTo(404);
    // Ready means that what was lost has been built again.
    long rebuilt = second.api().zygotePid("probe");
    assertThat(rebuilt).isNotZero().isNotEqualTo(dead);
    assertServes(second.api());
    for (ProcessTable.Entry process : before) {
      assertThat(ProcessTable.running(process.pid())).as(process.toString()).isFalse();
    }
  }

  @Test
  void zygotesAreKeptOnRequest() throws Exception {
    DaemonProcess first = daemons.start("--keep-zygotes");
    first.api().deployed("probe", probe().put("pool", 2));
    long zygote = first.api().zygotePid("probe");
    assertServes(first.api());
    first.signalEnd();
    assertThat(first.awaitEnd()).isEqualTo(TERMINATED);
    assertThat(first.functionProcesses())
        .extracting(ProcessTable.Entry::pid)
        .containsExactly((int) zygote);

    DaemonProcess second = daemons.start(DaemonProcess.Setup.on(first.setup().data()));
    assertAdopted(second, zygote);
    assertServes(second.api());
  }
}
