package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cgroup.Delegation;
import io.pilotlight.it.functions.Greedy;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A hostile function takes all that it can get. Each time the error names the limit and its value,
 * and neither the daemon nor another function notices.
 */
final class LimitsIT {
  @RegisterExtension static final Daemons DAEMONS = new Daemons();

  private static final boolean GROUPS = !(Delegation.here() instanceof Delegation.Absent);
  private static final String NOTHING = Api.object("take", "nothing");
  private static DaemonProcess daemon;
  private static Api api;
  private static Path jar;
  private static List<Long> others;

  @BeforeAll
  static void deploy() throws Exception {
    daemon = DAEMONS.start();
    api = daemon.api();
    jar = FunctionJar.of(DAEMONS.directory(), Greedy.class, Probe.class);
    ObjectNode greedy = Api.definition(jar, Greedy.class.getName()).put("pool", 1);
    greedy.put("memoryMib", 160).put("pidsLimit", 80).put("openFiles", 100).put("fileSizeMib", 8);
    greedy.put("maxAnswerBytes", 10_000).put("cpus", 0.5);
    greedy.putArray("warmupPayloads").add(Api.json(NOTHING));
    api.deployed("greedy", greedy.put("warmupCount", 50));
    api.deployed("other", Api.definition(jar, Probe.class.getName()).put("pool", 2));
    others = api.awaitClones("other", "waiting", 2);
  }

  @AfterEach
  void nobodyElseNotices() throws Exception {
    assertThat(daemon.running()).isTrue();
    assertThat(api.awaitClones("other", "waiting", 2)).isEqualTo(others);
    assertThat(api.invoke("other", Api.object("do", "count"), "Pilotlight-Start", "fork").text())
        .isEqualTo("1");
    assertThat(api.invoke("greedy", NOTHING).text()).isEqualTo("\"nothing\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"fork", "pool", "cold"})
  void nativeMemory(String start) throws Exception {
    Eventually.holds("a pooled clone", () -> api.clones("greedy", "waiting").size() == 1);
    Answer answer = take("native", start);
    if (GROUPS) {
      assertOverrun(
          answer,
          502,
          "memory",
          "killed by signal 9 (SIGKILL), over its memory limit of 160 MiB, with the JVM's own 416"
              + " MiB");
    } else {
      assertThat(answer.status()).as(answer.toString()).isIn(500, 502);
    }
  }

  @Test
  void nativeMemoryForLambda() throws Exception {
    Answer answer =
        api.invokeLambda("greedy", Api.object("take", "native"), "X-Amz-Log-Type", "Tail");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("X-Amz-Function-Error")).isEqualTo("Unhandled");
    if (GROUPS) {
      assertThat(answer.json().get("errorType").asText()).isEqualTo("Runtime.ExitError");
      assertThat(answer.json().get("errorMessage").asText())
          .contains("Runtime exited with error: signal: killed");
      byte[] log = Base64.getDecoder().decode(answer.header("X-Amz-Log-Result"));
      assertThat(new String(log, StandardCharsets.UTF_8))
          .contains("Status: error\tError Type: Runtime.OutOfMemory");
    }
  }

  @Test
  void heap() throws Exception {
    assertOverrun(
        take("heap", "fork"),
        502,
        "memory",
        "over its memory limit of 160 MiB, 120 MiB of it for the heap",
        "Java heap space");
  }

  @Test
  void directBuffers() throws Exception {
    assertOverrun(
        take("direct", "fork"),
        500,
        "memory",
        "reached its memory limit of 160 MiB, 40 MiB of it for direct buffers");
  }

  @Test
  void descriptors() throws Exception {
    assertOverrun(
        take("descriptors", "fork"), 500, "open-files", "reached its limit of 100 open files");
  }

  @Test
  void disk() throws Exception {
    Path file = DAEMONS.directory().resolve("disk");
    Answer answer =
        api.invoke(
            "greedy",
            Api.object("take", "disk", "file", file.toString()),
            "Pilotlight-Start",
            "fork");
    assertOverrun(answer, 500, "file-size", "reached its limit of 8 MiB for a file");
    assertThat(Files.size(file)).isEqualTo(8 << 20);
  }

  @Test
  void answer() throws Exception {
    String request = Api.object("take", "answer", "bytes", 10_000);
    Answer answer = api.invoke("greedy", request);
    assertThat(answer.status()).isEqualTo(502);
    assertThat(answer.text()).contains("answer-too-large", "10002 bytes", "10000 bytes");
    assertThat(api.invokeLambda("greedy", request).json().get("errorType").asText())
        .isEqualTo("Function.ResponseSizeTooLarge");
    assertThat(api.invoke("greedy", Api.object("take", "answer", "bytes", 9_998)).status())
        .isEqualTo(200);
  }

  /** Of what is written to stdout the last part is kept, and the writer not stopped. */
  @Test
  void output() throws Exception {
    assertThat(api.invoke("greedy", Api.object("take", "output", "mebibytes", 64)).text())
        .isEqualTo("64");
  }

  @ParameterizedTest
  @ValueSource(strings = {"threads", "processes"})
  void processesAndThreads(String what) throws Exception {
    if (!GROUPS) {
      return; // see OrdinaryUserIT: the limit is the user's
    }
    assertOverrun(take(what, "fork"), 500, "pids", "reached its limit of 80 processes and threads");
  }

  @Test
  void processor() throws Exception {
    if (!GROUPS) {
      assertThat(api.function("greedy").get("warnings").toString())
          .contains("0.5 processors is not enforced");
      return;
    }
    Answer answer =
        api.invoke(
            "greedy", Api.object("take", "processor", "millis", 3_000), "Pilotlight-Start", "fork");
    assertThat(Integer.parseInt(answer.text())).isBetween(1, 1_800);
  }

  /** How such a clone ended nobody tells: its parent was the daemon that was killed. */
  @Test
  void ofAnAdoptedZygote() throws Exception {
    DaemonProcess first = DAEMONS.start();
    ObjectNode definition = Api.definition(jar, Greedy.class.getName()).put("memoryMib", 160);
    first.api().deployed("kept", definition.put("pidsLimit", 80).put("openFiles", 100));
    first.kill();
    Api second = DAEMONS.start(first.setup()).api();
    assertThat(second.function("kept").path("zygote").path("adopted").asBoolean()).isTrue();
    for (String what : GROUPS ? List.of("descriptors", "threads", "native") : List.of("heap")) {
      Answer answer = second.invoke("kept", Api.object("take", what), "Pilotlight-Start", "fork");
      assertThat(answer.json().path("limit").asText())
          .as(answer.toString())
          .isEqualTo(
              switch (what) {
                case "descriptors" -> "open-files";
                case "threads" -> "pids";
                default -> "memory";
              });
    }
  }

  /** Those of an isolated function are in namespaces of their own, and run as another user. */
  @ParameterizedTest
  @ValueSource(strings = {"process", "sandbox"})
  void ofIsolatedFunctions(String isolation) throws Exception {
    ObjectNode definition = Api.definition(jar, Greedy.class.getName()).put("isolation", isolation);
    definition.put("memoryMib", 160).put("pidsLimit", 80).put("openFiles", 100);
    api.deployed("isolated", definition);
    try {
      for (String start : List.of("fork", "cold")) {
        assertThat(limit("isolated", "heap", start)).isEqualTo("memory");
        assertThat(limit("isolated", "descriptors", start)).isEqualTo("open-files");
        if (GROUPS) {
          assertThat(limit("isolated", "native", start)).isEqualTo("memory");
          assertThat(limit("isolated", "threads", start)).isEqualTo("pids");
        }
        Answer escape = take("isolated", "escape", start);
        assertThat(escape.text()).as("groups that it could enter").isEqualTo("[]");
      }
    } finally {
      assertThat(api.remove("isolated").status()).isEqualTo(204);
    }
  }

  private static String limit(String function, String what, String start) throws Exception {
    Answer answer = take(function, what, start);
    assertThat(answer.start()).as(answer.toString()).isEqualTo(start);
    return answer.json().path("limit").asText();
  }

  /** What a process has started ends with it. */
  @Test
  void orphans() throws Exception {
    if (!GROUPS) {
      return;
    }
    Answer answer = take("orphan", "fork");
    long orphan = Long.parseLong(answer.text());
    long clone =
        api.clones("greedy").stream()
            .filter(c -> c.get("id").asText().equals(answer.header("Pilotlight-Clone")))
            .findFirst()
            .orElseThrow()
            .get("pid")
            .asLong();
    assertThat(ProcessTable.running(orphan)).isTrue();
    ProcessHandle.of(clone).orElseThrow().destroyForcibly();
    Eventually.holds("the end of what it started", () -> !ProcessTable.running(orphan));
    Eventually.holds("nobody unburied", () -> ProcessTable.zombiesOf(daemon.pid()).isEmpty());
  }

  private static Answer take(String what, String start) throws Exception {
    return take("greedy", what, start);
  }

  private static Answer take(String function, String what, String start) throws Exception {
    return api.invoke(function, Api.object("take", what), "Pilotlight-Start", start);
  }

  private static void assertOverrun(Answer answer, int status, String limit, String... texts) {
    assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
    assertThat(answer.json().path("limit").asText()).as(answer.toString()).isEqualTo(limit);
    assertThat(answer.json().get("detail").asText()).contains(texts);
  }
}
