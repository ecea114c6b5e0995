package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Everything that goes wrong in a call, on the native path and on Lambda's. */
final class CallFaultsIT {
  private static final int TIMEOUT_SECONDS = 3;
  private static final int MIB = 1 << 20;

  /** "At once" means long before the function's time-out. */
  private static final Duration AT_ONCE = Duration.ofSeconds(20);

  @RegisterExtension static final Daemons daemons = new Daemons();
  private static DaemonProcess daemon;
  private static Api api;

  @BeforeAll
  static void deploy() throws Exception {
    daemon = daemons.start();
    api = daemon.api();
    var jar = FunctionJar.of(daemons.directory(), Probe.class);
    var probe = Api.definition(jar, Probe.class.getName());
    api.deployed("probe", probe.deepCopy().put("timeoutSeconds", 300));
    api.deployed("brief", probe.deepCopy().put("timeoutSeconds", TIMEOUT_SECONDS));
  }

  /** Whatever happened, the function is served, and no process is left busy. */
  @AfterEach
  void nothingIsLost() throws Exception {
    assertThat(api.invoke("probe", Api.object("do", "echo", "value", 1)).text()).isEqualTo("1");
    Eventually.holds("no busy process", () -> api.clones("probe", "busy").isEmpty());
    Eventually.holds("no zombie", () -> ProcessTable.zombiesOf(daemon.pid()).isEmpty());
  }

  @Test
  void unknownFunction() throws Exception {
    Answer answer = api.invoke("nobody", "{}");
    assertThat(answer.status()).isEqualTo(404);
    assertProblem(answer, "unknown-function", "nobody");
    assertThat(api.get("/v1/functions/nobody").status()).isEqualTo(404);
    assertThat(api.remove("nobody").status()).isEqualTo(404);
  }

  @Test
  void unknownFunctionForLambda() throws Exception {
    Answer answer = api.invokeLambda("nobody", "{}");
    assertThat(answer.status()).isEqualTo(404);
    assertThat(answer.header("x-amzn-ErrorType")).isEqualTo("ResourceNotFoundException");
    assertThat(answer.json().get("Type").asText()).isEqualTo("User");
    assertThat(answer.json().get("Message").asText()).contains("nobody");
  }

  @Test
  void handlerThrows() throws Exception {
    Answer answer = api.invoke("probe", Api.object("do", "throw"));
    assertThat(answer.status()).isEqualTo(500);
    assertProblem(answer, "function-failed", "IllegalStateException", "asked to fail");
    var failure = answer.json().get("failure");
    assertThat(failure.get("errorType").asText()).isEqualTo("java.lang.IllegalStateException");
    assertThat(failure.get("errorMessage").asText()).isEqualTo("asked to fail");
    assertThat(failure.get("stackTrace").get(0).asText()).contains("Probe.apply(Probe.java:");
    assertThat(failure.get("cause").get("errorMessage").asText()).isEqualTo("why");
    assertThat(answer.text()).doesNotContain("io.pilotlight.agent");
  }

  @Test
  void handlerThrowsForLambda() throws Exception {
    Answer answer = api.invokeLambda("probe", Api.object("do", "throw"));
    assertFunctionError(answer, "java.lang.IllegalStateException", "asked to fail");
    assertThat(answer.json().get("stackTrace").get(0).asText()).contains("Probe.apply");
  }

  @Test
  void inputIsNotJson() throws Exception {
    Answer answer = api.invoke("probe", "{\"do\": ");
    assertThat(answer.status()).isEqualTo(400);
    assertProblem(answer, "invalid-payload", "JSON");
    Answer lambda = api.invokeLambda("probe", "{\"do\": ");
    assertThat(lambda.status()).isEqualTo(400);
    assertThat(lambda.header("x-amzn-ErrorType")).isEqualTo("InvalidRequestContentException");
  }

  @Test
  void inputHasTheWrongShape() throws Exception {
    Answer answer = api.invoke("probe", "[1, 2]");
    assertThat(answer.status()).isEqualTo(400);
    assertProblem(answer, "invalid-payload", "Map");
    // For Lambda it is the function that cannot read its event.
    Answer lambda = api.invokeLambda("probe", "[1, 2]");
    assertThat(lambda.status()).isEqualTo(200);
    assertThat(lambda.header("X-Amz-Function-Error")).isEqualTo("Unhandled");
  }

  @Test
  void fiveMebibytesGoIn() throws Exception {
    String payload = Api.object("do", "length", "value", "y".repeat(5 * MIB));
    assertThat(api.invoke("probe", payload).text()).isEqualTo(Integer.toString(5 * MIB));
    assertThat(api.invokeLambda("probe", payload).text()).isEqualTo(Integer.toString(5 * MIB));
  }

  @Test
  void fiveMebibytesComeOut() throws Exception {
    String request = Api.object("do", "answer", "length", 5 * MIB);
    Answer answer = api.invoke("probe", request);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.body()).hasSize(5 * MIB + 2).startsWith('"', 'x').endsWith('x', '"');
    assertThat(api.invokeLambda("probe", request).body()).isEqualTo(answer.body());
  }

  @Test
  void twentyMebibytesDoNotGoIn() throws Exception {
    String payload = Api.object("do", "length", "value", "y".repeat(20 * MIB));
    Answer answer = api.invoke("probe", payload);
    assertThat(answer.status()).isEqualTo(413);
    assertProblem(answer, "request-too-large", "bytes");
    Answer lambda = api.invokeLambda("probe", payload);
    assertThat(lambda.status()).isEqualTo(413);
    assertThat(lambda.header("x-amzn-ErrorType")).isEqualTo("RequestTooLargeException");
  }

  @Test
  void twentyMebibytesDoNotComeOut() throws Exception {
    String request = Api.object("do", "answer", "length", 20 * MIB);
    Answer answer = api.invoke("probe", request);
    assertThat(answer.status()).isEqualTo(502);
    assertProblem(answer, "answer-too-large", "bytes");
    assertFunctionError(
        api.invokeLambda("probe", request), "Function.ResponseSizeTooLarge", "size");
  }

  @Test
  void handlerNeverReturns() throws Exception {
    CompletableFuture<Answer> call = hangs("brief");
    long begun = System.nanoTime();
    long pid = api.awaitClones("brief", "busy", 1).get(0);
    Answer answer = call.get(60, TimeUnit.SECONDS);
    assertThat(answer.status()).isEqualTo(504);
    assertProblem(answer, "timed-out", TIMEOUT_SECONDS + " s");
    assertThat(Duration.ofNanos(System.nanoTime() - begun))
        .isBetween(
            Duration.ofMillis(TIMEOUT_SECONDS * 1000 - 100),
            Duration.ofSeconds(TIMEOUT_SECONDS + 1));
    Eventually.holds("the end of " + pid, AT_ONCE, () -> !ProcessTable.running(pid));
    Eventually.holds("no process of it", AT_ONCE, () -> api.clones("brief").isEmpty());
  }

  private static CompletableFuture<Answer> hangs(String function) throws Exception {
    answersAtOnce(function);
    return api.invokeAsync(function, Api.object("do", "hang"), "Pilotlight-Start", "warm");
  }

  /** There is a warm process then: a time-out is measured without a start. */
  private static void answersAtOnce(String function) throws Exception {
    assertThat(api.invoke(function, Api.object("do", "echo", "value", 1)).status()).isEqualTo(200);
  }

  @Test
  void handlerNeverReturnsToLambda() throws Exception {
    Answer answer = api.invokeLambda("brief", Api.object("do", "hang"));
    assertFunctionError(answer, "Sandbox.Timedout", "timed out after " + TIMEOUT_SECONDS);
    Eventually.holds("no process of it", AT_ONCE, () -> api.clones("brief").isEmpty());
  }

  @Test
  void processIsKilled() throws Exception {
    Path begun = daemons.directory().resolve("begun");
    String hang = Api.object("do", "begin", "file", begun.toString());
    Answer answer = killed(api.invokeAsync("probe", hang), begun);
    assertThat(answer.status()).isEqualTo(502);
    assertProblem(answer, "process-died", "killed by signal 9");
    assertThat(answer.json().get("exit").asText()).contains("signal 9 (SIGKILL)");
    CompletableFuture<Answer> lambda = api.invokeLambdaAsync("probe", hang);
    assertFunctionError(killed(lambda, begun), "Runtime.ExitError", "signal: killed");
  }

  /** Not before it has read its request: one that has not is replaced, and nobody told. */
  private static Answer killed(CompletableFuture<Answer> call, Path begun) throws Exception {
    Eventually.holds("the call has begun", () -> Files.deleteIfExists(begun));
    long pid = api.awaitClones("probe", "busy", 1).get(0);
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    Answer answer = call.get(AT_ONCE.toSeconds(), TimeUnit.SECONDS);
    assertThat(ProcessTable.running(pid)).isFalse();
    return answer;
  }

  @Test
  void processExits() throws Exception {
    String request = Api.object("do", "exit", "status", 7);
    Answer answer = atOnce(api.invokeAsync("probe", request));
    assertThat(answer.status()).isEqualTo(502);
    assertProblem(answer, "process-died", "exited with status 7");
    assertFunctionError(
        atOnce(api.invokeLambdaAsync("probe", request)), "Runtime.ExitError", "exit status 7");
  }

  @Test
  void processRunsOutOfMemory() throws Exception {
    String request = Api.object("do", "exhaust");
    Answer answer = atOnce(api.invokeAsync("probe", request));
    assertThat(answer.status()).isEqualTo(502);
    assertProblem(answer, "process-died", "exited with status 3");
    assertThat(answer.json().get("output").asText()).contains("OutOfMemoryError");
    Answer lambda = atOnce(api.invokeLambdaAsync("probe", request, "X-Amz-Log-Type", "Tail"));
    assertFunctionError(lambda, "Runtime.ExitError", "exit status 3");
  }

  private static Answer atOnce(CompletableFuture<Answer> call) throws Exception {
    return call.get(AT_ONCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static void assertProblem(Answer answer, String type, String... details) {
    assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(answer.json().get("status").asInt()).isEqualTo(answer.status());
    assertThat(answer.json().get("type").asText()).isEqualTo("urn:pilotlight:" + type);
    assertThat(answer.json().get("detail").asText()).contains(details);
  }

  private static void assertFunctionError(Answer answer, String type, String message) {
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    assertThat(answer.header("X-Amz-Function-Error")).isEqualTo("Unhandled");
    assertThat(answer.json().get("errorType").asText()).isEqualTo(type);
    assertThat(answer.json().get("errorMessage").asText()).contains(message);
  }
}
