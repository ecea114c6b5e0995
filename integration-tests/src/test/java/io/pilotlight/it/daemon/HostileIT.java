package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.examples.hostile.Assassin;
import io.pilotlight.examples.hostile.Snoop;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import io.pilotlight.it.support.TestJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Functions that mean harm, beside one that has something to lose. */
final class HostileIT {
  private static final String MARKER = "a-secret-of-somebody-else";

  @RegisterExtension final Daemons daemons = new Daemons();

  /** What a hostile function could have guessed, and what belongs to others. */
  private ObjectNode targets(DaemonProcess daemon) throws Exception {
    Api api = daemon.api();
    ObjectNode event = new ObjectMapper().createObjectNode().put("marker", MARKER);
    event.putArray("pids").add(daemon.pid()).add(api.zygotePid("victim"));
    for (JsonNode clone : api.clones("victim")) {
      event.withArray("pids").add(clone.get("pid").asLong());
    }
    Path data = daemon.setup().data();
    event.putArray("files").add(data.resolve("run/owner").toString());
    event.putArray("sockets");
    try (Stream<Path> definitions = Files.walk(data.resolve("functions"))) {
      definitions
          .filter(Files::isRegularFile)
          .forEach(file -> event.withArray("files").add(file.toString()));
    }
    try (Stream<Path> run = Files.list(data.resolve("run"))) {
      run.filter(file -> file.toString().endsWith(".sock"))
          .forEach(file -> event.withArray("sockets").add(file.toString()));
    }
    return event;
  }

  private void deploy(DaemonProcess daemon, String isolation) throws Exception {
    ObjectNode victim =
        Api.definition(FunctionJar.of(daemons.directory(), Probe.class), Probe.class.getName());
    victim.put("isolation", isolation).put("pool", 1).putObject("env").put("PROBE", MARKER);
    daemon.api().deployed("victim", victim);
    for (Class<?> type : List.of(Snoop.class, Assassin.class)) {
      ObjectNode hostile = Api.definition(TestJvm.example("hostile"), type.getName());
      daemon.api().deployed(type.getSimpleName(), hostile.put("isolation", isolation));
    }
    assertThat(daemon.api().invoke("victim", Api.object("do", "count")).status()).isEqualTo(200);
    daemon.api().awaitClones("victim", "waiting", 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void nothingOfOthersIsFound(String isolation) throws Exception {
    DaemonProcess daemon = daemons.start();
    deploy(daemon, isolation);
    ObjectNode event = targets(daemon);
    if (isolation.equals("sandbox")) {
      event.putArray("ports").add(daemon.api().base().getPort());
    }
    assertThat(event.get("pids")).hasSizeGreaterThanOrEqualTo(4);
    assertThat(event.get("sockets")).hasSize(3);
    for (String start : List.of("fork", "cold")) {
      assertAllDenied(
          daemon.api().invoke("Snoop", event.toString(), "Pilotlight-Start", start), 12);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void nobodyElseIsHarmed(String isolation) throws Exception {
    DaemonProcess daemon = daemons.start();
    deploy(daemon, isolation);
    ObjectNode event = targets(daemon);
    String jar = storedJar(daemon, "Assassin");
    event.withArray("files").add(jar);
    byte[] before = Files.readAllBytes(Path.of(jar));
    assertAllDenied(
        daemon.api().invoke("Assassin", event.toString(), "Pilotlight-Start", "fork"), 9);
    assertThat(Files.readAllBytes(Path.of(jar))).isEqualTo(before);
    for (JsonNode pid : event.get("pids")) {
      assertThat(ProcessTable.running(pid.asLong())).as("process " + pid).isTrue();
    }
    Answer answer = daemon.api().invoke("victim", Api.object("do", "count"));
    assertThat(answer.text()).isEqualTo("2");
  }

  private static String storedJar(DaemonProcess daemon, String function) throws Exception {
    Path definition;
    try (Stream<Path> files = Files.walk(daemon.setup().data().resolve("functions"))) {
      definition =
          files
              .filter(file -> file.getFileName().toString().startsWith(function))
              .filter(Files::isRegularFile)
              .findFirst()
              .orElseThrow();
    }
    String hash = Api.json(Files.readString(definition)).findValue("sha256").asText();
    try (Stream<Path> jars = Files.walk(daemon.setup().data().resolve("jars"))) {
      return jars.filter(Files::isRegularFile)
          .filter(jar -> jar.toString().contains(hash))
          .findFirst()
          .orElseThrow()
          .toString();
    }
  }

  private static void assertAllDenied(Answer answer, int least) {
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    JsonNode outcomes = answer.json();
    assertThat(outcomes.size()).isGreaterThanOrEqualTo(least);
    outcomes
        .properties()
        .forEach(
            outcome ->
                assertThat(outcome.getValue().asText())
                    .as(outcome.getKey())
                    .startsWith("denied: "));
  }
}
