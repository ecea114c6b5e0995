package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.TestJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What can go wrong with images that are whole, and while they are in use. */
final class ImageFaultsIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ECHO = Api.object("do", "echo", "value", "answered");

  @RegisterExtension final Daemons daemons = new Daemons();

  private ObjectNode probe() throws IOException {
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    return Api.definition(jar, Probe.class.getName()).put("noImage", false).put("oneShot", true);
  }

  private static void end(DaemonProcess daemon) throws Exception {
    daemon.signalEnd();
    daemon.awaitEnd();
  }

  private static List<Path> images(DaemonProcess.Setup setup) throws IOException {
    try (Stream<Path> entries = Files.list(setup.data().resolve("images"))) {
      return entries.toList();
    }
  }

  private static void answers(Api api, String function) throws Exception {
    Answer answer = api.invoke(function, ECHO);
    assertThat(answer.text()).as(answer.toString()).isEqualTo("\"answered\"");
  }

  /** Something of an image that is not as here. */
  @FunctionalInterface
  private interface Difference {
    void make(ObjectNode manifest, ObjectNode state);
  }

  /** What each of these images has, and the reason for which it is refused. */
  private static Map<String, Difference> differences() {
    Map<String, Difference> all = new LinkedHashMap<>();
    all.put(
        "image-processor",
        (manifest, state) ->
            ((ArrayNode) manifest.at("/host/processorFeatures")).add("of-a-later-processor"));
    all.put(
        "image-kernel", (manifest, state) -> ((ObjectNode) manifest.get("host")).put("vdso", "00"));
    all.put("image-file", (manifest, state) -> manifest.put("jdk", "JAVA_VERSION=\"17.0.0\""));
    // Two areas that want the same addresses: the second finds them taken.
    all.put(
        "image-system",
        (manifest, state) ->
            ((ObjectNode) state.at("/areas/1")).set("start", state.at("/areas/0/start")));
    return all;
  }

  /** With right checksums, as the machine that it came from would have written it. */
  private static void change(Path image, Difference difference) throws IOException {
    Path manifestFile = image.resolve("manifest.json");
    Path stateFile = image.resolve("state.json");
    ObjectNode manifest = (ObjectNode) JSON.readTree(manifestFile.toFile());
    ObjectNode state = (ObjectNode) JSON.readTree(stateFile.toFile());
    difference.make(manifest, state);
    Files.write(manifestFile, JSON.writeValueAsBytes(manifest));
    Files.write(stateFile, JSON.writeValueAsBytes(state));
    StringBuilder checksums = new StringBuilder();
    for (String part : List.of("manifest.json", "state.json", "pages")) {
      byte[] content = Files.readAllBytes(image.resolve(part));
      CRC32C sum = new CRC32C();
      sum.update(content);
      checksums.append("%08x %d %s%n".formatted(sum.getValue(), content.length, part));
    }
    Files.writeString(image.resolve("checksums"), checksums);
  }

  @Test
  void whatDiffersIsNamedAndTheFunctionServedByOtherStarts() throws Exception {
    DaemonProcess first = daemons.start();
    Map<String, Difference> differences = differences();
    Map<String, Path> images = new LinkedHashMap<>();
    for (String reason : differences.keySet()) {
      first.api().deployed(reason, probe());
      images.put(reason, Path.of(first.api().awaitImage(reason).get("directory").asText()));
    }
    end(first);
    for (Map.Entry<String, Path> image : images.entrySet()) {
      change(image.getValue(), differences.get(image.getKey()));
    }

    DaemonProcess second = daemons.start(first.setup());
    for (String reason : differences.keySet()) {
      Eventually.holds(
          "the image of " + reason + " is refused",
          () ->
              second
                      .logLines(
                          "image not restored",
                          "function=\"" + reason + "\"",
                          "reason=\"" + reason + "\"")
                      .size()
                  == 1);
      Answer answer = second.api().invoke(reason, ECHO);
      assertThat(answer.text()).as(answer.toString()).isEqualTo("\"answered\"");
      if (answer.start().equals("cold")) {
        assertThat(
                second
                    .api()
                    .metric(
                        "pilotlight_fallbacks_total",
                        Map.of("from", "restore", "to", "cold", "reason", reason)))
            .as(reason)
            .isPositive();
      }
    }
    assertThat(second.logLines("image not restored", "EEXIST")).hasSize(1);
    for (String reason : differences.keySet()) {
      JsonNode fresh = second.api().awaitImage(reason);
      assertThat(fresh.get("directory").asText()).isNotEqualTo(images.get(reason).toString());
    }
    Eventually.holds("the refused ones go", () -> images(second.setup()).size() == images.size());
  }

  /** Images are all that the functions have here. */
  @Test
  void theBudgetIsKeptWhenNothingElseIsLeft() throws Exception {
    DaemonProcess first = daemons.start();
    long storedBytes = 0;
    for (String name : List.of("one", "two")) {
      first.api().deployed(name, probe());
      storedBytes += first.api().awaitImage(name).get("storedBytes").asLong();
    }
    end(first);
    Path config = daemons.directory().resolve("config.json");
    Files.writeString(
        config,
        JSON.createObjectNode().put("imageBudgetMib", (storedBytes * 3 / 4) >> 20).toString());
    DaemonProcess second = daemons.start(first.setup().with("--config", config.toString()));
    Api api = second.api();
    Eventually.holds(
        "one goes",
        () ->
            api.metric("pilotlight_images_evicted_total", Map.of("reason", "budget-only-start"))
                == 1);
    assertThat(second.logLines("image removed", "imageBudgetMib")).isNotEmpty();
    String left = api.function("one").path("image").isObject() ? "one" : "two";
    String gone = left.equals("one") ? "two" : "one";
    answers(api, gone);
    assertThat(api.invoke(left, ECHO).start()).isEqualTo("restore");
    // Its zygote is rebuilt; the image that is written with it does not fit, and goes again.
    Eventually.holds(
        "it is served by its zygote",
        () ->
            api.zygotePid(gone) != 0
                && api.metric("pilotlight_images_evicted_total", Map.of("reason", "budget")) == 1);
    assertThat(api.function(gone).get("imageError").asText()).contains("imageBudgetMib");
    assertThat(api.invoke(gone, ECHO).start()).isEqualTo("fork");
    assertThat(api.invoke(left, ECHO).start()).isEqualTo("restore");
    assertThat(images(second.setup())).hasSize(1);
  }

  @Test
  void aDaemonThatIsKilledWhileItRestoresLeavesNothingThatServes() throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe());
    first.api().awaitImage("probe");
    end(first);
    for (int i = 0; i < 2; i++) {
      Path log = Files.createTempFile(daemons.directory(), "killed-", ".log");
      Process killed = DaemonProcess.launch(first.setup(), log);
      try {
        // What the image is put into is a shell at first, and the function's JVM in the end.
        Eventually.holds(
            "it restores",
            () ->
                killed
                    .descendants()
                    .flatMap(process -> process.info().command().stream())
                    .anyMatch(command -> command.matches(".*/(da|ba)?sh|.*/java")));
      } finally {
        killed.destroyForcibly().waitFor();
      }
    }
    DaemonProcess last = daemons.start(first.setup());
    JsonNode image = last.api().awaitImage("probe");
    answers(last.api(), "probe");
    assertThat(last.api().invoke("probe", ECHO).start()).isEqualTo("restore");
    Eventually.holds(
        "nothing else is left",
        () ->
            last.functionProcesses().stream()
                .allMatch(process -> process.pid() == image.get("pid").asLong()));
  }

  @Test
  void anImageMayGoWhileItsClonesRun() throws Exception {
    DaemonProcess first = daemons.start();
    first.api().deployed("probe", probe());
    first.api().awaitImage("probe");
    end(first);
    DaemonProcess second = daemons.start(first.setup());
    Api api = second.api();
    JsonNode image = api.awaitImage("probe");
    Path held = Files.createFile(daemons.directory().resolve("held"));
    CompletableFuture<Answer> running =
        api.invokeAsync("probe", Api.object("do", "await", "file", held.toString()));
    api.awaitClones("probe", "busy", 1);
    FileTree.delete(Path.of(image.get("directory").asText()));
    assertThat(api.invoke("probe", ECHO).start()).as("new clones too").isEqualTo("restore");
    // A new version, while a clone of the old one's image runs.
    api.deployed("probe", probe());
    Files.delete(held);
    assertThat(running.get().text()).isEqualTo("\"gone\"");
    answers(api, "probe");
    // Its process cannot be made anew when its files have gone: the zygote is built again.
    JsonNode next = api.awaitImage("probe");
    FileTree.delete(Path.of(next.get("directory").asText()));
    ProcessHandle.of(next.get("pid").asLong()).orElseThrow().destroyForcibly();
    Eventually.holds(
        "the reason is told",
        () -> !second.logLines("image not restored", "reason=\"image-damaged\"").isEmpty());
    answers(api, "probe");
  }

  @Test
  void aFullDiskCostsTheImageAlone() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can mount a small disk");
    Path data = daemons.newData();
    Path disk = Files.createDirectories(data.resolve("images"));
    TestJvm.run(
        List.of("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", disk.toString()));
    try {
      DaemonProcess daemon = daemons.start(DaemonProcess.Setup.on(data));
      daemon.api().deployed("probe", probe());
      Eventually.holds(
          "the failure is told",
          () ->
              daemon.api().function("probe").get("imageError").asText().contains("No space left"));
      assertThat(daemon.logLines("image not written", "reason=\"image-system\"")).hasSize(1);
      assertThat(images(daemon.setup())).as("nothing half-written").isEmpty();
      assertThat(daemon.api().invoke("probe", ECHO).start()).isEqualTo("fork");
      end(daemon);
    } finally {
      TestJvm.run(List.of("umount", disk.toString()));
    }
  }
}
