package io.pilotlight.daemon.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame.FaultKind;
import io.pilotlight.agent.wire.Frame.InvokeAttributes;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.TestDaemon;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import io.pilotlight.zygote.FunctionJvm.TimedOutException;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Reply;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LambdaApiTest {
  @TempDir Path directory;
  private TestDaemon daemon;

  @BeforeEach
  void start() throws Exception {
    daemon = new TestDaemon(directory, config -> config);
    daemon.deploy("f", ",\"pool\":0,\"concurrency\":2");
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  private HttpResponse<String> invoke(String name, String body, String... headers)
      throws Exception {
    return daemon.post("/2015-03-31/functions/" + name + "/invocations", body, headers);
  }

  private void assertRefused(HttpResponse<String> response, int status, String type)
      throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
    assertThat(response.headers().firstValue("x-amzn-ErrorType")).contains(type);
    assertThat(daemon.parse(response).get("Message").asText()).isNotBlank();
    assertThat(daemon.parse(response).get("Type").asText()).isIn("User", "Service");
  }

  private JsonNode assertFunctionError(HttpResponse<String> response, String type)
      throws Exception {
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.headers().firstValue("X-Amz-Function-Error")).contains("Unhandled");
    JsonNode error = daemon.parse(response);
    assertThat(error.get("errorType").asText()).isEqualTo(type);
    return error;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "f",
        "f:1",
        "f:$LATEST",
        "f%3A%24LATEST",
        "123456789012:function:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af%3A1",
        "f?Qualifier=1"
      })
  void findsTheFunctionByEachOfItsNames(String name) throws Exception {
    String path = name.contains("?") ? name.replace("?", "/invocations?") : name + "/invocations";
    HttpResponse<String> response = daemon.post("/2015-03-31/functions/" + path, "{\"a\":1}");
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    assertThat(response.body()).isEqualTo("{\"a\":1}");
    assertThat(response.headers().firstValue("X-Amz-Executed-Version")).contains("1");
    assertThat(response.headers().firstValue("x-amzn-RequestId").orElseThrow()).hasSize(36);
    assertThat(response.headers().firstValue("X-Amz-Function-Error")).isEmpty();
  }

  @Test
  void refusesWhatItDoesNotFindOrUnderstand() throws Exception {
    assertRefused(invoke("nobody", "{}"), 404, "ResourceNotFoundException");
    assertRefused(invoke("f:2", "{}"), 404, "ResourceNotFoundException");
    assertRefused(invoke("a.b", "{}"), 400, "InvalidParameterValueException");
    assertRefused(invoke("f", "{"), 400, "InvalidRequestContentException");
    assertRefused(invoke("f", "{} {}"), 400, "InvalidRequestContentException");
    assertRefused(
        invoke("f", "{}", "X-Amz-Invocation-Type", "Later"), 400, "InvalidParameterValueException");
    assertRefused(
        invoke("f", "{}", "X-Amz-Client-Context", "***"), 400, "InvalidRequestContentException");
    assertRefused(invoke("f", "\"" + "x".repeat(20 << 20) + "\""), 413, "RequestTooLargeException");
  }

  @Test
  void passesOnTheContextAndReturnsTheLog() throws Exception {
    BlockingQueue<Invocation> seen = new ArrayBlockingQueue<>(1);
    daemon
        .host()
        .behave(
            (jvm, call) -> {
              seen.add(call);
              return FakeHost.success(1, "[]".getBytes(UTF_8));
            });
    String context = Base64.getEncoder().encodeToString("{\"custom\":{}}".getBytes(UTF_8));
    HttpResponse<String> response =
        invoke("f", "", "X-Amz-Client-Context", context, "X-Amz-Log-Type", "Tail");
    Invocation call = seen.remove();
    assertThat(call.attributes())
        .containsEntry(InvokeAttributes.CLIENT_CONTEXT, "{\"custom\":{}}")
        .containsEntry(
            InvokeAttributes.INVOKED_FUNCTION_ARN,
            "arn:aws:lambda:us-east-1:000000000000:function:f");
    assertThat(new String(call.payload(), UTF_8)).as("no payload").isEqualTo("{}");
    String log = response.headers().firstValue("X-Amz-Log-Result").orElseThrow();
    assertThat(new String(Base64.getDecoder().decode(log), UTF_8))
        .matches(
            "START RequestId: (\\S+) Version: 1\nwritten by fork-\\S+\n?\\s*"
                + "END RequestId: \\1\nREPORT RequestId: \\1\tDuration: [\\d.]+ ms\t"
                + "Billed Duration: \\d+ ms\tMemory Size: \\d+ MB\t\n");
  }

  @Test
  void whatGoesWrongInAFunctionIsNeverAFiveHundred() throws Exception {
    Failure failure =
        new Failure(
            "a.Boom",
            "why",
            List.of("a.B.c(B.java:1)"),
            new Failure("a.Root", null, List.of(), null));
    daemon.host().behave((jvm, call) -> new Reply.Fault(FaultKind.HANDLER, 1, 2, failure));
    JsonNode error = assertFunctionError(invoke("f", "{}"), "a.Boom");
    assertThat(error.get("errorMessage").asText()).isEqualTo("why");
    assertThat(error.get("stackTrace").get(0).asText()).isEqualTo("a.B.c(B.java:1)");
    assertThat(error.get("cause").get("errorType").asText()).isEqualTo("a.Root");

    daemon
        .host()
        .behave(
            (jvm, call) -> {
              throw new DiedException("died", new ExitStatus.Exited(3), "");
            });
    assertThat(
            assertFunctionError(invoke("f", "{}"), "Runtime.ExitError")
                .get("errorMessage")
                .asText())
        .endsWith("Runtime exited with error: exit status 3");

    daemon
        .host()
        .behave(
            (jvm, call) -> {
              throw new TimedOutException("30 s");
            });
    assertThat(
            assertFunctionError(invoke("f", "{}"), "Sandbox.Timedout").get("errorMessage").asText())
        .endsWith("Task timed out after 30.00 seconds");

    daemon.host().behave((jvm, call) -> FakeHost.success(1, new byte[7 << 20]));
    assertFunctionError(invoke("f", "{}"), "Function.ResponseSizeTooLarge");
  }

  @Test
  void throttlesAsAwsDoes() throws Exception {
    CountDownLatch entered = new CountDownLatch(2);
    CountDownLatch finish = new CountDownLatch(1);
    daemon.host().behave((jvm, call) -> held(entered, finish));
    assertThat(invoke("f", "{}", "X-Amz-Invocation-Type", "Event").statusCode()).isEqualTo(202);
    assertThat(invoke("f", "{}", "X-Amz-Invocation-Type", "Event").statusCode()).isEqualTo(202);
    entered.await();
    assertRefused(invoke("f", "{}"), 429, "TooManyRequestsException");
    assertThat(daemon.invoke("f", "{}").statusCode()).isEqualTo(429);
    finish.countDown();
  }

  private static Reply held(CountDownLatch entered, CountDownLatch finish) {
    entered.countDown();
    try {
      finish.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return FakeHost.success(1, new byte[0]);
  }

  @Test
  void anEventIsAcceptedAtOnceAndRunInTheBackground() throws Exception {
    BlockingQueue<String> seen = new ArrayBlockingQueue<>(100);
    daemon
        .host()
        .behave(
            (jvm, call) -> {
              seen.add(new String(call.payload(), UTF_8));
              return FakeHost.success(1, new byte[0]);
            });
    for (int i = 0; i < 50; i++) {
      HttpResponse<String> response =
          invoke("f", Integer.toString(i), "X-Amz-Invocation-Type", "Event");
      assertThat(response.statusCode()).isEqualTo(202);
      assertThat(response.body()).isEmpty();
    }
    for (int i = 0; i < 50; i++) {
      assertThat(seen.poll(10, TimeUnit.SECONDS)).isNotNull();
    }
  }

  @Test
  void aDryRunRunsNothing() throws Exception {
    assertThat(invoke("f", "{}", "X-Amz-Invocation-Type", "DryRun").statusCode()).isEqualTo(204);
    assertThat(daemon.host().jvms()).isEmpty();
  }
}
