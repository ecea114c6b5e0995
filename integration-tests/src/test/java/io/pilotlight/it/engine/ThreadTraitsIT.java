package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.functions.Traits;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each thread of a clone has its zygote's name, nice value, affinity and signal stack. */
final class ThreadTraitsIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final int CLONES = 3;
  private static final byte[] PAYLOAD = "\"tell\"".getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;

  @Test
  void areThoseOfTheZygote() throws Exception {
    try (LocalZygoteHost host = host();
        Zygote zygote = build(host)) {
      List<String> threads = threads(zygote.pid());
      assertThat(threads).anyMatch(thread -> thread.startsWith("traits-2 nice 5 "));
      for (int i = 0; i < CLONES; i++) {
        try (FunctionJvm clone = i == 0 ? zygote.forkAhead() : zygote.fork()) {
          check(clone);
          assertThat(threads(clone.pid())).containsAll(threads);
        }
      }
    }
  }

  private LocalZygoteHost host() throws Exception {
    return new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
  }

  private Zygote build(LocalZygoteHost host) throws Exception {
    Warmup warmup = new Warmup(List.of(PAYLOAD), 20, Duration.ofSeconds(30), CALL);
    return host.build(
        TestFunction.withJna(directory, Traits.class, Map.of()),
        warmup,
        CALL,
        (stage, done, total) -> {});
  }

  /** As the threads see it themselves. */
  private static void check(FunctionJvm clone) throws Exception {
    Reply reply = clone.invoke(new Invocation("r", Map.of(), PAYLOAD), CALL);
    assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
    String told = new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8);
    String[] thenAndNow = told.replace("\"", "").split(",", -1);
    assertThat(thenAndNow).hasSize(2);
    assertThat(thenAndNow[0]).contains("nice 3 ", "nice 4 ", "nice 5 ", " 65536 ");
    assertThat(thenAndNow[1]).isEqualTo(thenAndNow[0]);
  }

  /** As /proc shows it: name, nice value and affinity of each. */
  private static List<String> threads(long pid) throws IOException {
    List<String> threads = new ArrayList<>();
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        String stat = Files.readString(task.resolve("stat"));
        // Behind the name, which may hold anything, the state is the third field.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        String status = Files.readString(task.resolve("status"));
        threads.add(
            Files.readString(task.resolve("comm")).strip()
                + " nice "
                + fields[16]
                + " affinity "
                + status.replaceFirst("(?s).*\nCpus_allowed:\\s*(\\S+).*", "$1"));
      }
    }
    return threads;
  }
}
