package io.pilotlight.it.identity;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a clone knows of the world around it, which has changed since its zygote was frozen. */
final class SurroundingsIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final byte[] PAYLOAD = "\"backend.test\"".getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;
  private Path hosts;

  @BeforeEach
  void backendIsAtItsOldAddress() throws Exception {
    hosts = directory.resolve("hosts");
    writeHosts("127.0.0.2");
  }

  private void writeHosts(String address) throws Exception {
    String self = java.net.InetAddress.getLocalHost().getHostName();
    Files.writeString(hosts, address + " backend.test\n127.0.0.1 " + self + "\n");
  }

  @Test
  void aHostThatHasMovedIsFoundByClones() throws Exception {
    assertThat(ofClone(List.of()).get("address").asText()).isEqualTo("127.0.0.3");
  }

  /** That the JDK would remember the address for ever. */
  @Test
  void withoutRenewalItIsNot() throws Exception {
    assertThat(ofClone(List.of("-Dpilotlight.renew=off")).get("address").asText())
        .isEqualTo("127.0.0.2");
  }

  @Test
  void aCloneIsWhereItsFunctionIs() throws Exception {
    JsonNode clone = ofClone(List.of("-Duser.timezone=Asia/Tokyo", "-Duser.language=fr"));
    assertThat(clone.get("directory").asText()).isEqualTo(clone.get("userDirectory").asText());
    assertThat(clone.get("zone").asText()).isEqualTo("Asia/Tokyo");
    assertThat(clone.get("locale").asText()).startsWith("fr");
  }

  /** A killed JVM leaves the socket that jcmd talks to; its number may be a clone's later. */
  @Test
  void jcmdFindsACloneWhoseNumberAKilledJvmHad() throws Exception {
    FunctionSpec spec = TestFunction.of(directory, Whereabouts.class, List.of());
    Warmup warmup = new Warmup(List.of(PAYLOAD), 1, Duration.ofSeconds(30), CALL);
    try (LocalZygoteHost host =
            new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
        Zygote zygote = host.build(spec, warmup, CALL, (stage, done, total) -> {});
        FunctionJvm clone = zygote.forkAhead()) {
      Path socket = Path.of("/tmp/.java_pid" + clone.pid());
      Files.deleteIfExists(socket);
      Files.createFile(socket);
      try {
        clone.invoke(new Invocation("where", Map.of(), PAYLOAD), CALL);
        assertThat(TestJvm.run("jcmd", Long.toString(clone.pid()), "Thread.print"))
            .contains("\"main\"");
      } finally {
        Files.deleteIfExists(socket);
      }
    }
  }

  private JsonNode ofClone(List<String> more) throws Exception {
    List<String> arguments = new ArrayList<>(more);
    arguments.add("-Djdk.net.hosts.file=" + hosts);
    arguments.add("-Dsun.net.inetaddr.ttl=-1");
    FunctionSpec spec = TestFunction.of(directory, Whereabouts.class, arguments);
    Warmup warmup = new Warmup(List.of(PAYLOAD), 20, Duration.ofSeconds(30), CALL);
    try (LocalZygoteHost host =
            new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
        Zygote zygote = host.build(spec, warmup, CALL, (stage, done, total) -> {})) {
      writeHosts("127.0.0.3");
      try (FunctionJvm clone = zygote.fork()) {
        Reply reply = clone.invoke(new Invocation("where", Map.of(), PAYLOAD), CALL);
        assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
        return new ObjectMapper().readTree(((Reply.Success) reply).payload());
      }
    }
  }
}
