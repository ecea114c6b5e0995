package io.pilotlight.daemon.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame.FaultKind;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.TestDaemon;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.BuildProgress;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import io.pilotlight.zygote.FunctionJvm.TimedOutException;
import io.pilotlight.zygote.Reply;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeApiTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private TestDaemon daemon;

  @BeforeEach
  void start() throws Exception {
    daemon = new TestDaemon(directory, config -> config);
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  @Test
  void describesTheWorkingSetOfAZygote() throws Exception {
    daemon.deploy("f", "");
    JsonNode set = daemon.parse(daemon.get("/v1/functions/f/workingset"));
    assertThat(set.at("/recordings").asInt()).isEqualTo(1);
    assertThat(set.at("/regions/0/region").asText()).isEqualTo("java heap");
    assertThat(set.at("/regions/0/writtenPages").asLong()).isEqualTo(2);
    assertThat(set.at("/runs/written/0/0").asText()).isEqualTo("0x10000");
    assertThat(set.at("/map/0/pages").asLong()).isEqualTo(16);
    assertProblem(daemon.get("/v1/functions/g/workingset"), 404, "unknown-function");
  }

  private void assertProblem(HttpResponse<String> response, int status, String type)
      throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    JsonNode problem = daemon.parse(response);
    assertThat(problem.get("type").asText()).isEqualTo("urn:pilotlight:" + type);
    assertThat(problem.get("status").asInt()).isEqualTo(status);
    assertThat(problem.get("detail").asText()).isNotBlank();
  }

  @Test
  void deploysDescribesInvokesAndRemoves() throws Exception {
    HttpResponse<String> created = daemon.deploy("f", ",\"pool\":1,\"warmupPayload\":{\"n\":1}");
    assertThat(created.statusCode()).as(created.body()).isEqualTo(201);
    JsonNode described = daemon.parse(created);
    assertThat(described.get("name").asText()).isEqualTo("f");
    assertThat(described.get("version").asInt()).isEqualTo(1);
    assertThat(described.get("state").asText()).isEqualTo("ready");
    assertThat(described.get("jars").get(0).get("sha256").asText()).hasSize(64);
    assertThat(described.get("zygote").get("threads").asInt()).isEqualTo(12);
    assertThat(described.get("warnings").get(0).asText()).isEqualTo("a warm-up call failed");
    assertThat(described.get("pool").asInt()).isEqualTo(1);
    assertThat(described.get("build").isNull()).isTrue();

    HttpResponse<String> answer = daemon.invoke("f", "{\"x\":1}", "Pilotlight-Start", "fork");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEqualTo("{\"x\":1}");
    assertThat(answer.headers().firstValue("Pilotlight-Start")).contains("fork");
    assertThat(answer.headers().firstValue("Pilotlight-Clone").orElseThrow()).startsWith("fork-");
    assertThat(Double.parseDouble(answer.headers().firstValue("Pilotlight-Start-Seconds").get()))
        .isBetween(0.0, 10.0);
    assertThat(answer.headers().firstValue("Pilotlight-Handler-Seconds")).contains("0.001000000");

    assertThat(daemon.deploy("f", "").statusCode()).isEqualTo(200);
    assertThat(daemon.getJson("/v1/functions").get("functions")).hasSize(1);
    assertThat(daemon.getJson("/v1/functions/f").get("version").asInt()).isEqualTo(2);
    assertThat(daemon.send(daemon.request("/v1/functions/f").DELETE()).statusCode()).isEqualTo(204);
    assertProblem(daemon.get("/v1/functions/f"), 404, "unknown-function");
    assertProblem(daemon.invoke("f", "{}"), 404, "unknown-function");
    assertProblem(daemon.send(daemon.request("/v1/functions/f").DELETE()), 404, "unknown-function");
  }

  @Test
  void showsWhatIsHeld() throws Exception {
    daemon.deploy("f", ",\"pool\":0");
    daemon.invoke("f", "{}");
    JsonNode zygote = daemon.getJson("/v1/zygotes").get("zygotes").get(0);
    assertThat(zygote.get("function").asText()).isEqualTo("f");
    assertThat(zygote.get("pid").asLong()).isEqualTo(4141);
    assertThat(zygote.get("residentBytes").asLong()).isEqualTo(100_000_000);
    JsonNode clone = daemon.getJson("/v1/clones").get("clones").get(0);
    assertThat(clone.get("start").asText()).isEqualTo("fork");
    assertThat(clone.get("state").asText()).isEqualTo("idle");
    assertThat(clone.get("served").asInt()).isEqualTo(1);
    assertThat(clone.get("privateBytes").asLong()).isEqualTo(1_000_000);
  }

  @Test
  void refusesADeploymentNamingTheField() throws Exception {
    HttpResponse<String> response = daemon.deploy("f", ",\"memoryMib\":1");
    assertProblem(response, 400, "invalid-request");
    assertThat(daemon.parse(response).get("field").asText()).isEqualTo("memoryMib");
    HttpResponse<String> garbage =
        daemon.send(
            daemon.request("/v1/functions/f").PUT(HttpRequest.BodyPublishers.ofString("{]")));
    assertProblem(garbage, 400, "invalid-json");
    HttpResponse<String> name =
        daemon.send(
            daemon.request("/v1/functions/a.b").PUT(HttpRequest.BodyPublishers.ofString("{}")));
    assertProblem(name, 400, "invalid-request");
  }

  @Test
  void tellsWhyAFunctionCannotBeBuilt() throws Exception {
    Failure failure = new Failure("a.Boom", "no", List.of("a.B.<init>(B.java:1)"), null);
    daemon
        .host()
        .whileBuilding(
            (spec, progress) -> {
              throw new BuildException(
                  BuildException.Fault.FUNCTION, "a.B threw", "stderr text", failure, null);
            });
    HttpResponse<String> response = daemon.deploy("f", "");
    assertProblem(response, 400, "initialisation-failed");
    JsonNode problem = daemon.parse(response);
    assertThat(problem.get("failure").get("errorType").asText()).isEqualTo("a.Boom");
    assertThat(problem.get("failure").get("stackTrace").get(0).asText()).contains("B.java:1");
    assertThat(problem.get("output").asText()).isEqualTo("stderr text");

    daemon
        .host()
        .whileBuilding(
            (spec, progress) -> {
              throw new BuildException(
                  BuildException.Fault.SYSTEM, "clone3: EAGAIN", "", null, null);
            });
    assertProblem(daemon.deploy("f", ""), 503, "system-failure");
  }

  @Test
  void showsProgressAndRefusesASecondDeploymentMeanwhile() throws Exception {
    CountDownLatch warming = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    daemon
        .host()
        .whileBuilding(
            (spec, progress) -> {
              progress.at(BuildProgress.Stage.WARMING, 5, 9);
              warming.countDown();
              finish.await();
            });
    CompletableFuture<HttpResponse<String>> first =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return daemon.deploy("f", "");
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    warming.await();
    JsonNode described = daemon.getJson("/v1/functions/f");
    assertThat(described.get("state").asText()).isEqualTo("building");
    assertThat(described.get("build").get("stage").asText()).isEqualTo("warming");
    assertThat(described.get("build").get("done").asInt()).isEqualTo(5);
    assertThat(described.get("build").get("total").asInt()).isEqualTo(9);
    assertProblem(daemon.deploy("f", ""), 409, "conflict");
    assertProblem(daemon.invoke("f", "{}"), 503, "function-building");
    finish.countDown();
    assertThat(first.get().statusCode()).isEqualTo(201);
  }

  @Test
  void mapsWhatGoesWrongInAFunction() throws Exception {
    daemon.deploy("f", ",\"pool\":0");
    Failure failure = new Failure("a.Boom", "why", List.of("at x"), null);
    daemon.host().behave((jvm, call) -> new Reply.Fault(FaultKind.HANDLER, 1, 2, failure));
    HttpResponse<String> thrown = daemon.invoke("f", "{}");
    assertProblem(thrown, 500, "function-failed");
    assertThat(daemon.parse(thrown).get("failure").get("errorMessage").asText()).isEqualTo("why");
    assertThat(thrown.headers().firstValue("Pilotlight-Start")).isPresent();

    daemon.host().behave((jvm, call) -> new Reply.Fault(FaultKind.INPUT, 0, 0, failure));
    assertProblem(daemon.invoke("f", "nonsense"), 400, "invalid-payload");

    daemon
        .host()
        .behave(
            (jvm, call) -> {
              throw new DiedException("it exited", new ExitStatus.Exited(3), "last words");
            });
    HttpResponse<String> died = daemon.invoke("f", "{}");
    assertProblem(died, 502, "process-died");
    assertThat(daemon.parse(died).get("exit").asText()).isEqualTo("exited with status 3");
    assertThat(daemon.parse(died).get("output").asText()).isEqualTo("last words");

    daemon
        .host()
        .behave(
            (jvm, call) -> {
              throw new TimedOutException("30 s");
            });
    assertProblem(daemon.invoke("f", "{}"), 504, "timed-out");

    daemon.host().behave((jvm, call) -> FakeHost.success(1, new byte[7 * MIB]));
    assertProblem(daemon.invoke("f", "{}"), 502, "answer-too-large");
  }

  @Test
  void refusesStartsThatAreNotPossible() throws Exception {
    daemon.deploy("f", ",\"pool\":0,\"noImage\":true");
    assertProblem(
        daemon.invoke("f", "{}", "Pilotlight-Start", "restore"), 409, "start-not-possible");
    assertProblem(daemon.invoke("f", "{}", "Pilotlight-Start", "soon"), 400, "invalid-request");
    assertProblem(daemon.invoke("f", "{}", "Pilotlight-Start", "warm"), 409, "start-not-possible");
    assertProblem(daemon.invoke("f", "{}", "Pilotlight-Start", "pool"), 409, "start-not-possible");
    assertThat(daemon.invoke("f", "{}", "Pilotlight-Start", "auto").statusCode()).isEqualTo(200);
  }

  @Test
  void acceptsFiveMebibytesAndRefusesTwenty() throws Exception {
    daemon.deploy("f", "");
    String five = "x".repeat(5 * MIB);
    HttpResponse<String> accepted = daemon.invoke("f", five);
    assertThat(accepted.statusCode()).isEqualTo(200);
    assertThat(accepted.body()).isEqualTo(five);
    assertProblem(daemon.invoke("f", "x".repeat(20 * MIB)), 413, "request-too-large");

    byte[] twenty = new byte[20 * MIB];
    HttpRequest.Builder chunked =
        daemon
            .request("/v1/functions/f/invocations")
            .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(twenty)));
    assertProblem(daemon.send(chunked), 413, "request-too-large");
    HttpRequest.Builder small =
        daemon
            .request("/v1/functions/f/invocations")
            .POST(
                HttpRequest.BodyPublishers.ofInputStream(
                    () -> new ByteArrayInputStream(five.getBytes(UTF_8))));
    assertThat(daemon.send(small).body()).isEqualTo(five);
  }

  @Test
  void answersUnknownPathsAndMethods() throws Exception {
    assertProblem(daemon.get("/"), 404, "unknown-path");
    assertProblem(daemon.get("/v1/functionsX"), 404, "unknown-path");
    assertProblem(daemon.get("/v1/functions/a/b/c"), 404, "unknown-path");
    HttpResponse<String> method = daemon.post("/v1/functions/f", "{}");
    assertProblem(method, 405, "method-not-allowed");
    assertThat(method.headers().firstValue("Allow")).contains("GET, PUT, DELETE");
  }

  @Test
  void refusesHeadersOverTheLimitInTheSameFormat() throws Exception {
    // Just over the limit: of a much larger one the server leaves a part unread, and the client may
    // see the connection reset before it has read the answer.
    HttpResponse<String> response =
        daemon.send(daemon.request("/healthz").header("X-Large", "x".repeat(17 << 10)));
    assertProblem(response, 431, "invalid-request");
  }

  @Test
  void aConnectionLivesOnWhenARequestIsRefusedBeforeItsBodyWasRead() throws Exception {
    try (Socket socket =
        new Socket(daemon.daemon().address().getAddress(), daemon.daemon().address().getPort())) {
      OutputStream out = socket.getOutputStream();
      InputStream in = socket.getInputStream();
      for (int i = 0; i < 2; i++) {
        out.write(
            """
            POST /v1/functions/nobody/invocations HTTP/1.1
            Host: x
            Content-Length: 5

            """
                .replace("\n", "\r\n")
                .getBytes(UTF_8));
        out.flush();
        // The body comes in a segment of its own, after the headers have been seen.
        assertThat(in.available()).isZero();
        out.write("12345".getBytes(UTF_8));
        out.flush();
        String headers = headers(in);
        assertThat(headers).startsWith("HTTP/1.1 404").doesNotContain("Connection: close");
        int length = Integer.parseInt(headers.replaceAll("(?s).*Content-Length: (\\d+).*", "$1"));
        assertThat(in.readNBytes(length)).hasSize(length);
      }
    }
  }

  private static String headers(InputStream in) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("connection closed after: " + text);
      }
      text.append((char) next);
    }
    return text.toString();
  }

  @Test
  void survivesWhatIsNoHttp() throws Exception {
    try (Socket socket =
        new Socket(daemon.daemon().address().getAddress(), daemon.daemon().address().getPort())) {
      OutputStream out = socket.getOutputStream();
      out.write("\0\1\2 nonsense\r\n\r\n".getBytes(UTF_8));
      out.flush();
      assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8)).contains("400");
    }
    assertThat(daemon.get("/healthz").statusCode()).isEqualTo(200);
  }

  @Test
  void countsAndForgetsTheSeriesOfARemovedFunction() throws Exception {
    daemon.deploy("f", ",\"pool\":0");
    daemon.invoke("f", "{}");
    String text = daemon.get("/metrics").body();
    assertThat(text)
        .contains(
            "pilotlight_invocations_total{function=\"f\",start=\"fork\",outcome=\"success\",} 1")
        .contains(
            "pilotlight_start_duration_seconds_bucket{function=\"f\",start=\"fork\",le=\"1.0E-4\",}")
        .contains("pilotlight_zygotes{state=\"frozen\",} 1.0")
        .contains("pilotlight_clones{function=\"f\",state=\"idle\",} 1.0")
        .contains("pilotlight_build_info{version=")
        .contains("jvm_threads_current");
    HttpResponse<String> open =
        daemon.send(
            daemon
                .request("/metrics")
                .header("Accept", "application/openmetrics-text; version=1.0.0"));
    assertThat(open.headers().firstValue("Content-Type").orElseThrow()).contains("openmetrics");
    assertThat(open.body()).endsWith("# EOF\n");
    daemon.send(daemon.request("/v1/functions/f").DELETE());
    assertThat(daemon.get("/metrics").body()).doesNotContain("function=\"f\"");
  }

  @Test
  void isHealthyAndReady() throws Exception {
    assertThat(daemon.get("/healthz").body()).isEqualTo("ok\n");
    assertThat(daemon.get("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void aSlowFunctionDelaysNoOther() throws Exception {
    daemon.deploy("slow", ",\"pool\":0,\"concurrency\":100");
    daemon.deploy("fast", ",\"pool\":0");
    CountDownLatch entered = new CountDownLatch(100);
    CountDownLatch finish = new CountDownLatch(1);
    daemon
        .host()
        .behave(
            (jvm, call) -> {
              if (call.payload()[0] == 's') {
                entered.countDown();
                await(finish);
              }
              return FakeHost.success(1, call.payload());
            });
    List<CompletableFuture<HttpResponse<String>>> slow = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      slow.add(invokeAsync("slow", "s"));
    }
    entered.await();
    assertThat(invokeAsync("fast", "f").get(5, TimeUnit.SECONDS).body()).isEqualTo("f");
    assertThat(invokeAsync("slow", "s").get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(429);
    finish.countDown();
    for (CompletableFuture<HttpResponse<String>> answer : slow) {
      assertThat(answer.get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private CompletableFuture<HttpResponse<String>> invokeAsync(String function, String body) {
    HttpRequest.Builder request =
        daemon
            .request("/v1/functions/" + function + "/invocations")
            .POST(HttpRequest.BodyPublishers.ofString(body));
    return daemon.http().sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void noInvocationFailsWhileVersionsAreReplaced() throws Exception {
    daemon.deploy("f", "");
    AtomicBoolean stop = new AtomicBoolean();
    List<CompletableFuture<Integer>> callers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      callers.add(CompletableFuture.supplyAsync(() -> callUntil(stop)));
    }
    for (int i = 0; i < 20; i++) {
      assertThat(daemon.deploy("f", ",\"pool\":" + i % 3).statusCode()).isEqualTo(200);
    }
    stop.set(true);
    for (CompletableFuture<Integer> caller : callers) {
      assertThat(caller.get(10, TimeUnit.SECONDS)).isPositive();
    }
    assertThat(daemon.getJson("/v1/functions/f").get("version").asInt()).isEqualTo(21);
  }

  private int callUntil(AtomicBoolean stop) {
    int calls = 0;
    try {
      while (!stop.get()) {
        HttpResponse<String> answer = daemon.invoke("f", "1");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        calls++;
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return calls;
  }

  @Test
  void aDaemonThatStopsGivesUpDeploymentsThatRunAndThatWait() throws Exception {
    CountDownLatch building = new CountDownLatch(1);
    daemon
        .host()
        .whileBuilding(
            (spec, progress) -> {
              building.countDown();
              new CountDownLatch(1).await();
            });
    List<CompletableFuture<HttpResponse<String>>> deployments = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      deployments.add(
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return daemon.deploy(name, "");
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }
    building.await();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (daemon.getJson("/v1/functions").get("functions").size() < 3
        && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    daemon.close();
    for (CompletableFuture<HttpResponse<String>> deployment : deployments) {
      assertProblem(deployment.get(10, TimeUnit.SECONDS), 503, "stopping");
    }
  }
}
