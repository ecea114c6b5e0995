package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Many invocations at once, of one function and of several. */
final class LoadIT {
  private static final int FUNCTIONS = 4;
  private static final int CALLS = 200;
  private static final int CALLERS = 8;

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
  void everyCallerGetsTheAnswerToItsOwnCall() throws Exception {
    for (int i = 0; i < FUNCTIONS; i++) {
      // Every second function makes a process for each call.
      ObjectNode definition = probe().put("pool", 1).put("oneShot", i % 2 == 0);
      definition.putObject("env").put("PROBE", "function-" + i);
      api.deployed("many-" + i, definition);
    }
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    try {
      List<Callable<Void>> calls = new ArrayList<>();
      for (int n = 0; n < CALLS; n++) {
        int number = n;
        calls.add(() -> callAndCheck(number));
      }
      for (Future<Void> call : callers.invokeAll(calls)) {
        call.get();
      }
    } finally {
      callers.shutdownNow();
    }
    Eventually.holds("no process is busy", () -> busy() == 0);
    Eventually.holds("no zombie", () -> ProcessTable.zombiesOf(daemon.pid()).isEmpty());
    for (int i = 0; i < FUNCTIONS; i++) {
      assertThat(api.function("many-" + i).get("running").asInt()).isZero();
    }
  }

  private static Void callAndCheck(int number) throws Exception {
    String function = "many-" + number % FUNCTIONS;
    Answer echo = api.invoke(function, Api.object("do", "echo", "value", "call " + number));
    assertThat(echo.text()).as(echo.toString()).isEqualTo("\"call " + number + "\"");
    Answer settings = api.invoke(function, Api.object("do", "settings"));
    assertThat(settings.text()).startsWith("\"function-" + number % FUNCTIONS + ",");
    return null;
  }

  private static int busy() throws Exception {
    int busy = 0;
    for (int i = 0; i < FUNCTIONS; i++) {
      busy += api.clones("many-" + i, "busy").size();
    }
    return busy;
  }

  @Test
  void slowFunctionDelaysNoOther() throws Exception {
    int slowCalls = 16;
    Path held = Files.createFile(daemons.directory().resolve("slow-held"));
    api.deployed("slow", probe().put("concurrency", slowCalls));
    api.deployed("quick", probe());
    medianNanos("quick"); // until it is warm
    long alone = medianNanos("quick");
    String waits = Api.object("do", "await", "file", held.toString());
    List<CompletableFuture<Answer>> slow = new ArrayList<>();
    for (int i = 0; i < slowCalls; i++) {
      slow.add(api.invokeAsync("slow", waits));
    }
    api.awaitClones("slow", "busy", slowCalls);
    assertThat(api.invoke("slow", waits).status()).isEqualTo(429);
    long besides = medianNanos("quick");
    assertThat(slow).noneMatch(CompletableFuture::isDone);
    // Far above noise, far below what a call that waits for a slow one would take.
    assertThat(besides).isLessThan(10 * alone);
    Files.delete(held);
    for (CompletableFuture<Answer> call : slow) {
      assertThat(call.get(60, TimeUnit.SECONDS).text()).isEqualTo("\"gone\"");
    }
  }

  private static long medianNanos(String function) throws Exception {
    long[] nanos = new long[100];
    for (int i = 0; i < nanos.length; i++) {
      long begun = System.nanoTime();
      Answer answer = api.invoke(function, Api.object("do", "echo", "value", i));
      nanos[i] = System.nanoTime() - begun;
      assertThat(answer.text()).isEqualTo(Integer.toString(i));
    }
    Arrays.sort(nanos);
    return nanos[nanos.length / 2];
  }

  @Test
  void concurrencyIsLimited() throws Exception {
    Path held = Files.createFile(daemons.directory().resolve("limited-held"));
    api.deployed("limited", probe().put("concurrency", 2));
    String waits = Api.object("do", "await", "file", held.toString());
    List<CompletableFuture<Answer>> running =
        List.of(api.invokeAsync("limited", waits), api.invokeLambdaAsync("limited", waits));
    api.awaitClones("limited", "busy", 2);
    Answer refused = api.invoke("limited", waits);
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.json().get("type").asText())
        .isEqualTo("urn:pilotlight:too-many-invocations");
    assertThat(refused.json().get("detail").asText()).contains("the 2 invocations");
    Answer lambda = api.invokeLambda("limited", waits);
    assertThat(lambda.status()).isEqualTo(429);
    assertThat(lambda.header("x-amzn-ErrorType")).isEqualTo("TooManyRequestsException");
    Files.delete(held);
    for (CompletableFuture<Answer> call : running) {
      assertThat(call.get(60, TimeUnit.SECONDS).text()).isEqualTo("\"gone\"");
    }
    assertThat(api.invoke("limited", waits).text()).isEqualTo("\"gone\"");
  }
}
