package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Informed;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.lambda.model.InvalidRequestContentException;
import software.amazon.awssdk.services.lambda.model.InvocationType;
import software.amazon.awssdk.services.lambda.model.InvokeRequest;
import software.amazon.awssdk.services.lambda.model.InvokeResponse;
import software.amazon.awssdk.services.lambda.model.LogType;
import software.amazon.awssdk.services.lambda.model.RequestTooLargeException;
import software.amazon.awssdk.services.lambda.model.ResourceNotFoundException;
import software.amazon.awssdk.services.lambda.model.TooManyRequestsException;

/** The AWS SDK's own client, pointed at the daemon and not changed otherwise. */
final class LambdaClientIT {
  @RegisterExtension static final Daemons daemons = new Daemons();
  private static Api api;
  private static LambdaClient lambda;
  private static Path jar;

  @BeforeAll
  static void start() throws Exception {
    api = daemons.start().api();
    jar = FunctionJar.of(daemons.directory(), Probe.class, Informed.class);
    api.deployed("probe", probe());
    lambda =
        LambdaClient.builder()
            .endpointOverride(api.base())
            .region(Region.EU_CENTRAL_1)
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "secret")))
            .build();
  }

  @AfterAll
  static void stop() {
    lambda.close();
  }

  private static ObjectNode probe() {
    return Api.definition(jar, Probe.class.getName());
  }

  private static InvokeResponse invoke(
      String function, String payload, Consumer<InvokeRequest.Builder> more) {
    return lambda.invoke(
        request -> {
          request.functionName(function).payload(SdkBytes.fromUtf8String(payload));
          more.accept(request);
        });
  }

  private static InvokeResponse invoke(String payload) {
    return invoke("probe", payload, request -> {});
  }

  private static JsonNode answer(InvokeResponse response) {
    return Api.json(response.payload().asUtf8String());
  }

  @Test
  void requestAndResponse() {
    InvokeResponse response = invoke(Api.object("do", "echo", "value", "über"));
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.functionError()).isNull();
    assertThat(response.executedVersion()).isEqualTo("1");
    assertThat(answer(response).asText()).isEqualTo("über");
  }

  @Test
  void functionIsNamedInOtherWays() {
    String request = Api.object("do", "echo", "value", 5);
    String arn = "arn:aws:lambda:eu-central-1:123456789012:function:probe";
    assertThat(answer(invoke(arn, request, r -> {})).asInt()).isEqualTo(5);
    assertThat(answer(invoke("probe", request, r -> r.qualifier("$LATEST"))).asInt()).isEqualTo(5);
    assertThatThrownBy(() -> invoke("probe", request, r -> r.qualifier("77")))
        .isInstanceOf(ResourceNotFoundException.class);
  }

  @Test
  void event() throws Exception {
    Path trace = daemons.directory().resolve("event-trace");
    InvokeResponse response =
        invoke(
            "probe",
            Api.object("do", "create", "file", trace.toString()),
            request -> request.invocationType(InvocationType.EVENT));
    assertThat(response.statusCode()).isEqualTo(202);
    assertThat(response.payload().asByteArray()).isEmpty();
    Eventually.holds("the event's effect", () -> Files.exists(trace));
  }

  @Test
  void dryRun() throws Exception {
    Path trace = daemons.directory().resolve("dry-trace");
    InvokeResponse response =
        invoke(
            "probe",
            Api.object("do", "create", "file", trace.toString()),
            request -> request.invocationType(InvocationType.DRY_RUN));
    assertThat(response.statusCode()).isEqualTo(204);
    // A later call has run, and the dry one has not.
    invoke(Api.object("do", "echo", "value", 1));
    assertThat(trace).doesNotExist();
    assertThatThrownBy(() -> invoke("nobody", "{}", r -> r.invocationType(InvocationType.DRY_RUN)))
        .isInstanceOf(ResourceNotFoundException.class);
  }

  @Test
  void functionErrorIsNotTriedAgain() throws Exception {
    api.deployed("throws", probe());
    InvokeResponse response = invoke("throws", Api.object("do", "throw"), request -> {});
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.functionError()).isEqualTo("Unhandled");
    assertThat(answer(response).get("errorType").asText())
        .isEqualTo("java.lang.IllegalStateException");
    assertThat(answer(response).get("errorMessage").asText()).isEqualTo("asked to fail");
    assertThat(answer(response).get("stackTrace").get(0).asText()).contains("Probe.apply");
    assertThat(countOnceThere("throws", "error")).isEqualTo(1);
  }

  @Test
  void deathIsNotTriedAgain() throws Exception {
    api.deployed("dies", probe());
    InvokeResponse response = invoke("dies", Api.object("do", "exit", "status", 9), request -> {});
    assertThat(response.functionError()).isEqualTo("Unhandled");
    assertThat(answer(response).get("errorType").asText()).isEqualTo("Runtime.ExitError");
    assertThat(countOnceThere("dies", "died")).isEqualTo(1);
  }

  private static double countOnceThere(String function, String outcome) throws Exception {
    Map<String, String> labels = Map.of("function", function, "outcome", outcome);
    // Counted after the answer has been sent.
    return Eventually.get(
        "the count",
        () -> {
          double count = api.metric("pilotlight_invocations_total", labels);
          return count > 0 ? count : null;
        });
  }

  @Test
  void unknownFunction() {
    assertThatThrownBy(() -> invoke("nobody", "{}", request -> {}))
        .isInstanceOfSatisfying(
            ResourceNotFoundException.class,
            e -> {
              assertThat(e.statusCode()).isEqualTo(404);
              assertThat(e.awsErrorDetails().errorMessage()).contains("nobody");
              assertThat(e.requestId()).isNotBlank();
            });
  }

  @Test
  void payloadIsNotJson() {
    assertThatThrownBy(() -> invoke("{no json")).isInstanceOf(InvalidRequestContentException.class);
  }

  @Test
  void payloadIsTooLarge() {
    String payload = Api.object("do", "length", "value", "z".repeat(7 << 20));
    assertThatThrownBy(() -> invoke(payload)).isInstanceOf(RequestTooLargeException.class);
  }

  @Test
  void tooManyRequests() throws Exception {
    Path held = Files.createFile(daemons.directory().resolve("held"));
    api.deployed("busy", probe().put("concurrency", 1));
    var running = api.invokeAsync("busy", Api.object("do", "await", "file", held.toString()));
    api.awaitClones("busy", "busy", 1);
    assertThatThrownBy(() -> invoke("busy", Api.object("do", "count"), request -> {}))
        .isInstanceOf(TooManyRequestsException.class);
    Files.delete(held);
    assertThat(running.get().text()).isEqualTo("\"gone\"");
  }

  @Test
  void endOfTheLog() {
    String log = log(Api.object("do", "print", "text", "on stdout, ü"));
    assertThat(log).contains("on stdout, ü");
    assertThat(log(Api.object("do", "echo", "value", 1))).doesNotContain("on stdout");
    String tail = log(Api.object("do", "print", "text", "begin" + "-".repeat(10_000) + "end"));
    assertThat(tail).contains("-end\nEND RequestId: ").doesNotContain("begin").hasSize(4096);
    assertThat(invoke(Api.object("do", "print", "text", "unasked")).logResult()).isNull();
  }

  private static String log(String payload) {
    InvokeResponse response = invoke("probe", payload, request -> request.logType(LogType.TAIL));
    String id = response.responseMetadata().requestId();
    byte[] log = Base64.getDecoder().decode(response.logResult());
    String text = new String(log, StandardCharsets.UTF_8);
    assertThat(text).contains("END RequestId: " + id, "REPORT RequestId: " + id + "\tDuration: ");
    return text;
  }

  @Test
  void contextIsThere() throws Exception {
    Path core = Path.of(Context.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    ObjectNode definition = Api.definition(jar, Informed.class.getName()).put("timeoutSeconds", 20);
    definition.putArray("layers").add(core.toString());
    api.deployed("informed", definition);
    String client = "{\"custom\":{\"colour\":\"blue\"}}";
    InvokeResponse response =
        invoke(
            "informed",
            "{\"a\": [1, null]}",
            request ->
                request
                    .logType(LogType.TAIL)
                    .clientContext(
                        Base64.getEncoder()
                            .encodeToString(client.getBytes(StandardCharsets.UTF_8))));
    JsonNode told = answer(response);
    assertThat(told.path("requestId").asText()).isEqualTo(response.responseMetadata().requestId());
    assertThat(told.path("name").asText()).isEqualTo("informed");
    assertThat(told.path("version").asText()).isEqualTo("1");
    assertThat(told.path("arn").asText()).endsWith(":function:informed");
    assertThat(told.path("memory").asInt()).isEqualTo(128);
    assertThat(told.path("remaining").asInt()).isBetween(1, 20_000);
    assertThat(told.path("custom").path("colour").asText()).isEqualTo("blue");
    assertThat(told.path("event").toString()).isEqualTo("{\"a\":[1,null]}");
    assertThat(new String(Base64.getDecoder().decode(response.logResult()), StandardCharsets.UTF_8))
        .contains("told by the logger");
  }
}
