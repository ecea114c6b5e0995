package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
import io.pilotlight.it.support.TestJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Functions are started from images, also after the daemon's end, and do without bad ones. */
final class ImageStartsIT {
  private static final String ECHO = Api.object("do", "echo", "value", "answered");
  private static final String SECRET = "vX3k-never-on-any-disk-7Gd";
  private static final String ASK = Api.object("do", "variable", "name", "SECRET");

  @RegisterExtension final Daemons daemons = new Daemons();

  private ObjectNode probe() throws IOException {
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    ObjectNode definition = Api.definition(jar, Probe.class.getName()).put("noImage", false);
    definition.putObject("secrets").put("SECRET", SECRET);
    return definition.put("oneShot", true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "process", "sandbox"})
  void servesAfterTheDaemonsEndWithoutANewBuild(String isolation) throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe().put("isolation", isolation));
    JsonNode image = first.api().awaitImage("probe");
    assertRestores(first.api());
    assertThat(imageContains(image, SECRET)).as("the secret").isFalse();
    assertThat(imageContains(image, Probe.class.getName())).as("the search finds it").isTrue();
    assertThat(first.api().get("/v1/functions/probe").text()).doesNotContain(SECRET);
    first.signalEnd();
    first.awaitEnd();
    assertThat(first.functionProcesses()).isEmpty();

    DaemonProcess second = daemons.start(first.setup());
    assertThat(second.api().function("probe").get("state").asText()).isEqualTo("ready");
    assertThat(second.api().function("probe").get("zygote").isNull()).isTrue();
    // By itself, and not as a second choice.
    assertThat(second.api().invoke("probe", ASK).start()).isEqualTo("restore");
    assertRestores(second.api());
    assertThat(second.logLines("start fell back")).isEmpty();
    assertThat(second.logLines("zygote rebuilt")).isEmpty();
    assertThat(second.api().invoke("probe", ECHO, "Pilotlight-Start", "fork").status())
        .isEqualTo(409);

    // Its process is made anew when it is lost.
    long blank = second.api().awaitImage("probe").get("pid").asLong();
    ProcessHandle.of(blank).orElseThrow().destroyForcibly();
    Eventually.holds(
        "another process",
        () -> second.api().function("probe").path("image").path("pid").asLong(blank) != blank);
    assertRestores(second.api());
    assertThat(second.api().remove("probe").status()).isEqualTo(204);
    Eventually.holds("its files go", () -> images(second).isEmpty());
  }

  private static void assertRestores(Api api) throws Exception {
    for (int i = 0; i < 3; i++) {
      Answer answer = api.invoke("probe", ASK, "Pilotlight-Start", "restore");
      assertThat(answer.text()).isEqualTo("\"" + SECRET + "\"");
      assertThat(answer.start()).isEqualTo("restore");
    }
  }

  private static boolean imageContains(JsonNode image, String text) throws IOException {
    boolean found = false;
    try (Stream<Path> files = Files.list(Path.of(image.get("directory").asText()))) {
      for (Path file : files.toList()) {
        String content = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        found |= content.contains(text);
      }
    }
    return found;
  }

  private static List<Path> images(DaemonProcess daemon) throws IOException {
    try (Stream<Path> entries = Files.list(daemon.setup().data().resolve("images"))) {
      return entries.toList();
    }
  }

  @Test
  void clonesWaitInThePoolWithoutAZygote() throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe().put("pool", 2));
    first.api().awaitImage("probe");
    first.signalEnd();
    first.awaitEnd();
    DaemonProcess second = daemons.start(first.setup());
    second.api().awaitClones("probe", "waiting", 2);
    Answer answer = second.api().invoke("probe", ASK);
    assertThat(answer.start()).isEqualTo("pool");
    assertThat(answer.text()).isEqualTo("\"" + SECRET + "\"");
  }

  /** What an image is restored into was no JVM when it was started, and gets them all the same. */
  @Test
  void clonesOfAnImageHaveTheirLimits() throws Exception {
    DaemonProcess first = daemons.start();
    Path jar = FunctionJar.of(daemons.directory(), Greedy.class);
    ObjectNode greedy = Api.definition(jar, Greedy.class.getName()).put("noImage", false);
    greedy.put("memoryMib", 160).put("pidsLimit", 80).put("openFiles", 100);
    first.api().deployed("greedy", greedy.put("fileSizeMib", 8).put("oneShot", true));
    first.api().awaitImage("greedy");
    first.signalEnd();
    first.awaitEnd();
    Api api = daemons.start(first.setup()).api();
    Map<String, String> limits = new TreeMap<>(Map.of("heap", "memory"));
    limits.putAll(Map.of("direct", "memory", "descriptors", "open-files", "disk", "file-size"));
    if (!(Delegation.here() instanceof Delegation.Absent)) {
      limits.putAll(Map.of("native", "memory", "threads", "pids"));
    }
    String file = daemons.directory().resolve("large").toString();
    for (Map.Entry<String, String> limit : limits.entrySet()) {
      String request = Api.object("take", limit.getKey(), "file", file);
      Answer answer = api.invoke("greedy", request, "Pilotlight-Start", "restore");
      assertThat(answer.start()).as(answer.toString()).isEqualTo("restore");
      assertThat(answer.json().path("limit").asText())
          .as(answer.toString())
          .isEqualTo(limit.getValue());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "flipped, pages, image-damaged",
    "truncated, state.json, image-damaged",
    "missing, checksums, image-damaged",
    "format, manifest.json, image-format",
    "jar, , image-file"
  })
  void doesWithoutABadImage(String fault, String part, String reason) throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe());
    JsonNode image = first.api().awaitImage("probe");
    first.signalEnd();
    first.awaitEnd();
    Path directory = Path.of(image.get("directory").asText());
    switch (fault) {
      case "flipped" -> flip(directory.resolve(part));
      case "truncated" -> truncate(directory.resolve(part));
      case "missing" -> Files.delete(directory.resolve(part));
      case "format" ->
          Files.writeString(
              directory.resolve(part),
              Files.readString(directory.resolve(part))
                  .replaceFirst("\"format\" : \\d+", "\"format\" : 9"));
      default -> touch(first.setup().data().resolve("jars"));
    }

    DaemonProcess second = daemons.start(first.setup());
    assertThat(second.api().invoke("probe", ASK).text()).isEqualTo("\"" + SECRET + "\"");
    if (!reason.equals("image-format")) {
      assertThat(second.logLines("image not restored", "reason=\"" + reason + "\"")).hasSize(1);
    }
    assertThat(second.logLines("zygote rebuilt")).hasSize(1);
    // The new zygote has an image of its own, and the bad one is gone.
    JsonNode fresh = second.api().awaitImage("probe");
    assertThat(fresh.get("id")).isNotEqualTo(image.get("id"));
    Eventually.holds("one image", () -> images(second).size() == 1);
    assertRestores(second.api());
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  private static void truncate(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
  }

  private static void touch(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
      }
    }
  }

  @Test
  void aDaemonThatIsKilledWhileItWritesLeavesNoHalfImage() throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe());
    Eventually.holds("it writes", () -> !images(first).isEmpty());
    first.kill();

    DaemonProcess second = daemons.start(first.setup());
    JsonNode image = second.api().awaitImage("probe");
    assertThat(second.api().function("probe").path("zygote").path("adopted").asBoolean()).isTrue();
    assertRestores(second.api());
    assertThat(images(second)).containsExactly(Path.of(image.get("directory").asText()));
    Set<Long> kept =
        Set.of(
            second.api().zygotePid("probe"), second.api().awaitImage("probe").get("pid").asLong());
    // The processes that have served once end beside their answers.
    Eventually.holds(
        "nothing else is left",
        () ->
            second.functionProcesses().stream()
                .allMatch(process -> kept.contains((long) process.pid())));
  }

  @Test
  void aDiskThatTakesNoMoreCostsTheImageAlone() throws Exception {
    DaemonProcess daemon = daemons.start();
    // No file may grow over 8 MiB: the pages do not fit.
    TestJvm.run(List.of("prlimit", "--pid", Long.toString(daemon.pid()), "--fsize=" + (8 << 20)));
    daemon.api().deployed("probe", probe());
    Eventually.holds(
        "the failure is told",
        () -> daemon.api().function("probe").get("imageError").asText().contains("written"));
    assertThat(daemon.logLines("image not written", "reason=\"image-system\"")).hasSize(1);
    assertThat(images(daemon)).isEmpty();
    assertThat(daemon.api().invoke("probe", ASK).start()).isEqualTo("fork");
    Answer refused = daemon.api().invoke("probe", ASK, "Pilotlight-Start", "restore");
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.text()).contains("restore");
    // Without its zygote too the function answers, and the reason is counted.
    ProcessHandle.of(daemon.api().zygotePid("probe")).orElseThrow().destroyForcibly();
    Eventually.holds(
        "a fallback from restore",
        () -> {
          daemon.api().invoke("probe", ASK);
          return daemon
                  .api()
                  .metric(
                      "pilotlight_fallbacks_total",
                      Map.of("from", "restore", "to", "cold", "reason", "image-system"))
              > 0;
        });
  }
}
