package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.functions.Unfit;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.TestJvm;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Functions that cannot be deployed: each is refused with what is wrong, and leaves nothing. */
final class DeployFaultsIT {
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

  @AfterEach
  void nothingIsLeft() throws Exception {
    assertThat(api.get("/v1/functions").json().get("functions")).isEmpty();
    assertThat(daemon.functionProcesses()).isEmpty();
    assertThat(daemon.runFiles()).containsExactly("owner");
    try (Stream<Path> jars = Files.list(daemon.setup().data().resolve("jars"))) {
      assertThat(jars).isEmpty();
    }
  }

  @Test
  void jarIsMissing() throws Exception {
    Path missing = daemons.directory().resolve("missing.jar");
    refused(Api.definition(missing, "a.B"), "invalid-request", missing + "", "does not exist");
  }

  @Test
  void jarIsNoJar() throws Exception {
    Path text = daemons.directory().resolve("text.jar");
    Files.writeString(text, "This is a text.");
    Answer answer =
        refused(Api.definition(text, "a.B"), "invalid-request", text + "", "is not a jar");
    assertThat(answer.json().get("field").asText()).isEqualTo("jars");
  }

  @Test
  void layerIsMissing() throws Exception {
    Path missing = daemons.directory().resolve("missing-layer.jar");
    ObjectNode definition = probe();
    definition.putArray("layers").add(missing.toString());
    refused(definition, "invalid-request", missing + "", "does not exist");
  }

  @Test
  void classIsMissing() throws Exception {
    refused(
        Api.definition(jar, "com.example.Absent"),
        "invalid-configuration",
        "com.example.Absent",
        "jars and layers");
  }

  @Test
  void methodIsMissing() throws Exception {
    refused(
        Api.definition(jar, Probe.class.getName() + "::absent"), "invalid-configuration", "absent");
  }

  @Test
  void constructorThrows() throws Exception {
    Answer answer =
        refused(
            Api.definition(jar, Unfit.Constructor.class.getName()),
            "initialisation-failed",
            "constructed in vain");
    var failure = answer.json().get("failure");
    assertThat(failure.get("errorType").asText())
        .isEqualTo("java.lang.UnsupportedOperationException");
    assertThat(failure.get("stackTrace").get(0).asText()).contains("Unfit$Constructor.<init>");
  }

  @Test
  void staticInitialiserThrows() throws Exception {
    Answer answer =
        refused(
            Api.definition(jar, Unfit.Initialiser.class.getName()),
            "initialisation-failed",
            "NumberFormatException",
            "no number");
    assertThat(answer.json().get("failure").get("stackTrace").toString())
        .contains("Unfit$Initialiser.<clinit>");
  }

  @Test
  void initialisationEndsTheProcess() throws Exception {
    Answer answer =
        refused(
            Api.definition(jar, Unfit.Exits.class.getName()),
            "initialisation-failed",
            "exited with status 42");
    assertThat(answer.json().get("output").asText()).contains("the last words");
  }

  @Test
  void initialisationTakesTooLong() throws Exception {
    ObjectNode definition = Api.definition(jar, Unfit.Waits.class.getName());
    definition.putObject("env").put("BLOCKER", jar.toString());
    refused(definition.put("initTimeoutSeconds", 2), "initialisation-failed", "within 2000 ms");
  }

  @Test
  void connectionIsOpenAtTheFreeze() throws Exception {
    try (ServerSocket peer = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      ObjectNode definition = Api.definition(jar, Unfit.Connected.class.getName());
      definition.putObject("env").put("PEER_PORT", Integer.toString(peer.getLocalPort()));
      refused(definition, "not-clonable", "TCP connection", "127.0.0.1:" + peer.getLocalPort());
    }
  }

  @Test
  void connectionIsClosedByAPolicy() throws Exception {
    Path policy = daemons.directory().resolve("closing.yaml");
    Files.writeString(policy, "# connections\ntype: socket\nremoteAddress: *\naction: close\n");
    try (ServerSocket peer = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      ObjectNode definition = Api.definition(jar, Unfit.Connected.class.getName());
      definition.putObject("env").put("PEER_PORT", Integer.toString(peer.getLocalPort()));
      definition.put("fdPolicy", policy.toString());
      api.deployed("closed", definition);
      assertThat(api.function("closed").get("fdPolicy").toString())
          .isEqualTo("[{\"type\":\"socket\",\"remoteAddress\":\"*\",\"action\":\"close\"}]");
      assertThat(api.invoke("closed", "\"\"", "Pilotlight-Start", "fork").status()).isEqualTo(200);
      assertThat(api.remove("closed").status()).isEqualTo(204);
    }
  }

  @Test
  void policyIsMalformed() throws Exception {
    Path policy = daemons.directory().resolve("malformed.yaml");
    Files.writeString(policy, "type: file\n---\n");
    Answer answer =
        refused(
            probe().put("fdPolicy", policy.toString()),
            "invalid-request",
            policy + ", line 1: ",
            "no 'action'");
    assertThat(answer.json().get("field").asText()).isEqualTo("fdPolicy");
  }

  @Test
  void connectionIsTrackedToItsOpening() throws Exception {
    try (ServerSocket peer = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      ObjectNode definition = Api.definition(jar, Unfit.Connected.class.getName());
      definition.putObject("env").put("PEER_PORT", Integer.toString(peer.getLocalPort()));
      refused(
          definition.put("agent", "trackDescriptors"),
          "not-clonable",
          "It was opened by thread 'main'",
          Unfit.Connected.class.getName() + ".<init>(Unfit.java:",
          "action: close");
    }
  }

  @Test
  void collectorSharesItsHeap() throws Exception {
    ObjectNode definition = probe();
    definition.putArray("jvmArgs").add("-XX:+UseZGC");
    refused(definition, "invalid-configuration", "-XX:+UseZGC", "shared memory", "UseSerialGC");
  }

  @Test
  void collectorIsChosenInAnotherWay() throws Exception {
    // No argument gives it away: only the mappings of the process that is to be frozen do.
    Path arguments = daemons.directory().resolve("arguments");
    Files.writeString(arguments, "-XX:-UseSerialGC -XX:+UseZGC");
    ObjectNode definition = probe();
    definition.putArray("jvmArgs").add("@" + arguments);
    refused(definition, "not-clonable", "ZGC", "-XX:+UseSerialGC");
  }

  @Test
  void jvmDoesNotKnowItsArgument() throws Exception {
    ObjectNode definition = probe();
    definition.putArray("jvmArgs").add("-XX:+NoSuchFlag");
    refused(definition, "invalid-configuration", "NoSuchFlag");
  }

  static List<Arguments> invalidFields() {
    return List.of(
        Arguments.of("timeoutSeconds", "0", "an integer between 1"),
        Arguments.of("memoryMib", "\"much\"", "an integer"),
        Arguments.of("jars", "[]", "at least one jar"),
        Arguments.of("jars", "[\"relative.jar\"]", "absolute path"),
        Arguments.of("handler", "\" \"", "missing or empty"),
        Arguments.of("jvm", "\"/nowhere\"", "/nowhere"),
        Arguments.of("isolation", "\"jail\"", "'process' or 'sandbox'"),
        Arguments.of("surprise", "1", "unknown field"));
  }

  @ParameterizedTest
  @MethodSource("invalidFields")
  void fieldIsInvalid(String field, String value, String message) throws Exception {
    ObjectNode definition = probe();
    definition.set(field, Api.json(value));
    Answer answer = refused(definition, "invalid-request", field, message);
    assertThat(answer.json().get("field").asText()).isEqualTo(field);
  }

  @Test
  void requestIsNotJson() throws Exception {
    Answer answer = api.deployText("refused", "{\"jars\": ");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("detail").asText()).contains("not JSON");
  }

  @Test
  void nameIsNotAllowed() throws Exception {
    Answer answer = api.deploy("no%20name", probe());
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().get("detail").asText()).contains("no name");
  }

  @Test
  void failedReplacementLeavesTheOldVersion() throws Exception {
    api.deployed("kept", probe());
    try {
      Answer answer = api.deploy("kept", Api.definition(jar, Unfit.Constructor.class.getName()));
      assertThat(answer.status()).isEqualTo(400);
      Answer call = api.invoke("kept", Api.object("do", "echo", "value", "still here"));
      assertThat(call.text()).isEqualTo("\"still here\"");
      assertThat(api.function("kept").get("version").asInt()).isEqualTo(1);
    } finally {
      assertThat(api.remove("kept").status()).isEqualTo(204);
    }
  }

  @Test
  void dataDirectoryHasADaemonAlready() throws Exception {
    Path log = daemons.directory().resolve("second.log");
    Process second = DaemonProcess.launch(DaemonProcess.Setup.on(daemon.setup().data()), log);
    assertThat(second.waitFor()).isEqualTo(1);
    assertThat(Files.readString(log))
        .contains(
            daemon.setup().data().toString(), "in use", Long.toString(daemon.pid()), "--data");
    assertThat(api.get("/readyz").status()).isEqualTo(200);
  }

  @Test
  void jdkOfTheFunctionIsTheOneUnderTest() throws Exception {
    // Not a fault: it makes sure that the others were those of this JDK.
    ObjectNode definition = probe();
    definition.put("jvm", TestJvm.home().toString());
    api.deployed("named", definition);
    assertThat(daemon.functionProcesses())
        .allMatch(process -> process.command().get(0).startsWith(TestJvm.home().toString()));
    assertThat(api.remove("named").status()).isEqualTo(204);
  }

  private static ObjectNode probe() {
    return Api.definition(jar, Probe.class.getName());
  }

  private static Answer refused(ObjectNode definition, String type, String... details)
      throws Exception {
    Answer answer = api.deploy("refused", definition);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
    assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(answer.json().get("type").asText()).isEqualTo("urn:pilotlight:" + type);
    assertThat(answer.json().get("detail").asText()).contains(details);
    return answer;
  }
}
