package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ManagedProgram;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Images leave a data directory and come into another one, by the command line. */
final class ImageShippingIT {
  private static final String SECRET = "vX3k-never-on-any-disk-7Gd";
  private static final String ASK = Api.object("do", "variable", "name", "SECRET");

  @RegisterExtension final Daemons daemons = new Daemons();

  private DaemonProcess deployed(String isolation) throws Exception {
    DaemonProcess daemon = daemons.start();
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    ObjectNode definition = Api.definition(jar, Probe.class.getName()).put("noImage", false);
    definition.putObject("secrets").put("SECRET", SECRET);
    definition.put("oneShot", true).put("isolation", isolation);
    daemon.api().deployed("probe", definition);
    daemon.api().awaitImage("probe");
    return daemon;
  }

  private static void end(DaemonProcess daemon) throws Exception {
    daemon.signalEnd();
    daemon.awaitEnd();
  }

  private ManagedProgram command(DaemonProcess.Setup setup, int status, String... arguments)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("image"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--data", setup.data().toString()));
    ManagedProgram program =
        new ManagedProgram.Place(
                setup.installation().resolve("pilotlight.jar"), List.of(), daemons.directory())
            .start(Map.of(), all.toArray(String[]::new));
    assertThat(program.awaitEnd()).as(program.toString()).isEqualTo(status);
    return program;
  }

  @Test
  void aFunctionThatCameByFileIsServedWithoutRunningItsCode() throws Exception {
    DaemonProcess first = deployed("process");
    DaemonProcess.Setup setup = first.setup();
    Path file = daemons.directory().resolve("probe.image");
    command(setup, 0, "export", "probe", file.toString());
    assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
        .doesNotContain(SECRET);
    assertThat(command(setup, 1, "import", file.toString()).err())
        .as("while a daemon uses it")
        .contains("in use", Long.toString(first.pid()));
    end(first);
    FileTree.delete(setup.data());

    assertThat(command(setup, 1, "import", file.toString()).err())
        .as("no value for the secret")
        .contains("SECRET");
    Path damaged = daemons.directory().resolve("damaged.image");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(damaged, bytes);
    assertThat(
            command(setup, 1, "import", damaged.toString(), "--secret", "SECRET=" + SECRET).err())
        .contains("damaged");
    for (String place : List.of("images", "jars", "functions")) {
      assertThat(setup.data().resolve(place)).as("nothing is left").isEmptyDirectory();
    }
    DaemonProcess.Setup elsewhere = DaemonProcess.Setup.on(daemons.newData());
    assertThat(
            command(elsewhere, 1, "import", file.toString(), "--secret", "SECRET=" + SECRET).err())
        .contains(setup.data().toString(), elsewhere.data().toString(), "--data");

    command(setup, 0, "import", file.toString(), "--secret", "SECRET=" + SECRET);
    assertThat(command(setup, 1, "import", file.toString(), "--secret", "SECRET=" + SECRET).err())
        .contains("--replace");
    command(setup, 0, "import", file.toString(), "--secret", "SECRET=" + SECRET, "--replace");
    DaemonProcess second = daemons.start(setup);
    Answer answer = second.api().invoke("probe", ASK);
    assertThat(answer.text()).isEqualTo("\"" + SECRET + "\"");
    assertThat(answer.start()).isEqualTo("restore");
    assertThat(second.logLines("start fell back")).isEmpty();
    assertThat(second.logLines("zygote rebuilt")).isEmpty();
    assertThat(second.api().function("probe").path("zygote").isNull()).isTrue();
  }

  @Test
  void pruneRemovesWhatItIsAskedTo() throws Exception {
    DaemonProcess first = deployed("none");
    DaemonProcess.Setup setup = first.setup();
    assertThat(command(setup, 1, "prune", "--older-than", "0s").err())
        .as("a daemon's images may be all that their functions have")
        .contains("in use");
    assertThat(command(setup, 0, "prune").out()).contains("none");
    JsonNode listed = Api.json(command(setup, 0, "list", "--json").out()).get(0);
    assertThat(listed.get("storedBytes").asLong())
        .isBetween(1L << 20, listed.get("bytes").asLong() + (1 << 20));
    end(first);
    String small = Long.toString((listed.get("storedBytes").asLong() >> 20) - 1);
    String large = Long.toString((listed.get("storedBytes").asLong() >> 20) + 1);
    for (String[] kept :
        List.of(
            new String[] {"prune", "--unused"},
            new String[] {"prune", "--older-than", "1h"},
            new String[] {"prune", "--keep-budget", large},
            new String[] {"prune", "--keep-budget", small, "--dry-run"})) {
      command(setup, 0, kept);
      assertThat(images(setup)).as(String.join(" ", kept)).hasSize(1);
    }
    assertThat(command(setup, 0, "prune", "--keep-budget", small).out()).contains("probe");
    assertThat(images(setup)).isEmpty();
    DaemonProcess second = daemons.start(setup);
    assertThat(second.api().invoke("probe", ASK).text()).isEqualTo("\"" + SECRET + "\"");
    second.api().awaitImage("probe");
    end(second);
    Files.delete(setup.data().resolve("functions/probe.json"));
    command(setup, 0, "prune", "--unused");
    assertThat(images(setup)).isEmpty();
  }

  private static List<Path> images(DaemonProcess.Setup setup) throws Exception {
    try (Stream<Path> entries = Files.list(setup.data().resolve("images"))) {
      return entries.toList();
    }
  }
}
