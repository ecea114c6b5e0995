package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Asking;
import io.pilotlight.it.functions.Refusing;
import io.pilotlight.it.functions.SnapStarted;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.EchoServer;
import io.pilotlight.it.support.FunctionJar;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.crac.Resource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Functions that use org.crac 1.5.0, as it comes from Maven Central, in their own jars. */
final class CheckpointIT {
  @RegisterExtension static final Daemons daemons = new Daemons();
  private static DaemonProcess daemon;
  private static Api api;
  private static Path jar;

  @BeforeAll
  static void start() throws Exception {
    daemon = daemons.start();
    api = daemon.api();
    jar = FunctionJar.of(daemons.directory(), SnapStarted.class, Refusing.class, Asking.class);
  }

  private static ObjectNode definition(Class<?> handler, String... environment) throws Exception {
    ObjectNode definition = Api.definition(jar, handler.getName());
    definition.withArray("jars").add(library(Resource.class)).add(library(RequestHandler.class));
    ObjectNode variables = definition.putObject("env");
    for (int i = 0; i < environment.length; i += 2) {
      variables.put(environment[i], environment[i + 1]);
    }
    return definition;
  }

  private static String library(Class<?> type) throws Exception {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  private static Answer by(String start, String function, String event) throws Exception {
    return api.invoke(function, event, "Pilotlight-Start", start);
  }

  @Test
  void aFunctionForSnapStartWorksUnchangedByEachStart() throws Exception {
    try (EchoServer backend = new EchoServer()) {
      ObjectNode definition =
          definition(SnapStarted.class, "BACKEND_PORT", Integer.toString(backend.port()));
      definition.put("pool", 1).putObject("secrets").put("PASSWORD", "hunter2");
      definition.putArray("warmupPayloads").addObject().put("question", "warm-up");
      definition.put("warmupCount", 20);
      JsonNode deployed = api.deployed("snapstarted", definition);
      assertThat(deployed.get("warnings")).isEmpty();
      api.awaitClones("snapstarted", "waiting", 1);
      // Once before the freeze; once in each clone, ahead of its first call and with its secrets.
      for (String start : List.of("fork", "pool", "warm", "fork")) {
        Answer answer = by(start, "snapstarted", Api.object("question", start + "?"));
        assertThat(answer.text()).as(start).contains("\"" + start + "?\"");
        assertThat(answer.json().get("told").toString())
            .as(start)
            .isEqualTo("[\"before\",\"after with hunter2\"]");
      }
      Answer cold = by("cold", "snapstarted", Api.object("question", "cold?"));
      assertThat(cold.text()).contains("\"cold?\"");
      assertThat(cold.json().get("told")).isEmpty();
      api.remove("snapstarted");
    }
  }

  @Test
  void aResourceThatRefusesTheCheckpointIsNamedWhenTheFunctionIsDeployed() throws Exception {
    Answer answer = api.deploy("busy", definition(Refusing.class, "REFUSE", "before"));
    assertThat(answer.status()).isEqualTo(400);
    JsonNode problem = answer.json();
    assertThat(problem.get("type").asText()).isEqualTo("urn:pilotlight:checkpoint-failed");
    assertThat(problem.get("detail").asText())
        .contains(
            "beforeCheckpoint of " + Refusing.class.getName() + "$Pool",
            "java.lang.IllegalStateException: 4 connections are in use");
    assertThat(problem.get("failure").get("errorType").asText())
        .isEqualTo("java.lang.IllegalStateException");
    // There was no checkpoint, so all resources went on.
    assertThat(problem.get("output").asText()).contains("told 1/1");
    assertThat(api.get("/v1/functions/busy").status()).isEqualTo(404);
  }

  @Test
  void aResourceThatDoesNotComeBackInACloneMakesTheStartFallBack() throws Exception {
    api.deployed("lost", definition(Refusing.class, "REFUSE", "after").put("pool", 2));
    api.awaitClones("lost", "waiting", 2);
    Answer fork = by("fork", "lost", "{}");
    assertThat(fork.status()).isEqualTo(503);
    assertThat(fork.json().get("detail").asText())
        .contains(
            "afterRestore of " + Refusing.class.getName() + "$Pool",
            "java.lang.IllegalStateException: no route to the database");
    Answer any = api.invoke("lost", "{}");
    assertThat(any.start()).isEqualTo("cold");
    assertThat(any.text()).isEqualTo("\"Pool told 0/0\"");
    assertThat(
            api.metric(
                "pilotlight_fallbacks_total",
                Map.of("from", "pool", "to", "cold", "reason", "restore-failed")))
        .isEqualTo(1);
    assertThat(daemon.logLines("no route to the database")).isNotEmpty();
  }

  @Test
  void aCallInTheConstructorReturnsInEachClone() throws Exception {
    assertReturns("constructor", "cold");
  }

  @Test
  void aCallInAWarmUpCallReturnsInEachClone() throws Exception {
    assertReturns("call", "");
  }

  @Test
  void aCallOnAThreadOfItsOwnReturnsInEachClone() throws Exception {
    assertReturns("thread", "");
  }

  private void assertReturns(String where, String cold) throws Exception {
    String name = "asks-in-" + where;
    ObjectNode definition = definition(Asking.class, "ASK", where).put("pool", 1);
    definition.putArray("warmupPayloads").addObject();
    api.deployed(name, definition.put("warmupCount", 20));
    long zygote = api.zygotePid(name);
    api.awaitClones(name, "waiting", 1);
    for (String start : List.of("fork", "pool")) {
      Answer answer = by(start, name, "{}");
      assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
      String clone = answer.header("Pilotlight-Clone");
      long pid =
          api.clones(name).stream()
              .filter(c -> c.get("id").asText().equals(clone))
              .findFirst()
              .orElseThrow()
              .get("pid")
              .asLong();
      assertThat(answer.json())
          .as(start)
          .extracting(JsonNode::asText)
          .containsExactly("asks in " + zygote, "before", "after", "goes on in " + pid);
      // It serves now, and is not frozen a second time.
      JsonNode again = by("warm", name, Api.object("do", "again")).json();
      assertThat(again.get(again.size() - 1).asText()).startsWith("CheckpointException");
    }
    if (!cold.isEmpty()) {
      JsonNode events = by("cold", name, "{}").json();
      assertThat(events).hasSize(4);
      assertThat(events.get(3).asText())
          .isEqualTo(events.get(0).asText().replace("asks", "goes on"));
    }
  }

  @Test
  void whoAskedIsToldOfAResourceThatDoesNotComeBack() throws Exception {
    api.deployed("told", definition(Asking.class, "ASK", "constructor", "FAIL_AFTER", "resource"));
    JsonNode events = by("fork", "told", "{}").json();
    assertThat(events.get(events.size() - 1).asText())
        .isEqualTo("RestoreException: java.lang.IllegalStateException: not in this process");
  }

  @Test
  void anInitialisationThatFailsInTheCloneIsNamed() throws Exception {
    api.deployed(
        "halfway", definition(Asking.class, "ASK", "constructor", "FAIL_AFTER", "constructor"));
    Answer fork = by("fork", "halfway", "{}");
    assertThat(fork.status()).isEqualTo(503);
    assertThat(fork.json().get("detail").asText())
        .contains("could not finish its initialisation", "not in this process");
  }
}
