package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ProcessTable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Secrets reach every process that serves, and no zygote. */
final class SecretsIT {
  private static final String NAME = "PROBE";
  private static final String VALUE = "tLm0-only-for-those-who-serve-9fQ";
  private static final String ASK = Api.object("do", "variable", "name", NAME);

  @RegisterExtension final Daemons daemons = new Daemons();

  @Test
  void everyStartHasThemAndTheZygoteHasNot() throws Exception {
    DaemonProcess daemon = daemons.start();
    Api api = daemon.api();
    Path jar = FunctionJar.of(daemons.directory(), Probe.class);
    ObjectNode definition = Api.usual(jar, Probe.class.getName()).put("pool", 1);
    definition.putObject("secrets").put(NAME, VALUE);
    definition.putArray("warmupPayloads").addObject().put("do", "variable").put("name", NAME);
    definition.put("warmupCount", 20);
    JsonNode deployed = api.deployed("probe", definition);
    assertThat(deployed.toString()).doesNotContain(VALUE);
    assertThat(deployed.get("secrets").toString()).isEqualTo("[\"" + NAME + "\"]");

    api.awaitClones("probe", "waiting", 1);
    long zygote = api.zygotePid("probe");
    for (String start : List.of("fork", "pool", "cold", "warm")) {
      assertThat(api.invoke("probe", ASK, "Pilotlight-Start", start).text())
          .as(start)
          .isEqualTo("\"" + VALUE + "\"");
    }
    // They come after the function's initialisation, in a cold process too.
    String settings = Api.object("do", "settings");
    assertThat(api.invoke("probe", settings, "Pilotlight-Start", "cold").text()).contains("null,");

    byte[] secret = VALUE.getBytes(StandardCharsets.US_ASCII);
    assertThat(ProcessTable.memoryContains(zygote, secret)).isFalse();
    assertThat(ProcessTable.memoryContains(api.awaitClones("probe", "waiting", 1).get(0), secret))
        .isFalse();
    long served = api.clones("probe", "idle").get(0).get("pid").asLong();
    assertThat(ProcessTable.memoryContains(served, secret)).as("the search finds it").isTrue();
    assertThat(api.get("/v1/functions/probe").text()).doesNotContain(VALUE);
    assertThat(daemon.logLines(VALUE)).isEmpty();

    daemon.kill();
    DaemonProcess second = daemons.start(daemon.setup());
    Answer adopted = second.api().invoke("probe", ASK, "Pilotlight-Start", "fork");
    assertThat(adopted.text()).isEqualTo("\"" + VALUE + "\"");
    assertThat(second.api().zygotePid("probe")).isEqualTo(zygote);
  }
}
