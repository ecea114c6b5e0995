package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
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
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The way of a clone's first call is compiled in its zygote, and no clone throws any of that away:
 * code in which the compiler has left out what only clones do, or only zygotes.
 */
final class FirstCallIT {
  private static final Duration CALL = Duration.ofSeconds(60);

  /** As HotSpot prints it with PrintCompilation (nmethod.cpp, make_not_entrant). */
  private static final String THROWN_AWAY = "made not entrant";

  @TempDir Path directory;

  @Test
  void aCloneThrowsAwayNothingOnTheWayOfItsFirstCall() throws Exception {
    byte[] echo = json(Api.object("do", "echo", "value", "x"));
    Warmup warmup = new Warmup(List.of(echo), 2_000, Duration.ofSeconds(60), CALL);
    FunctionSpec spec = TestFunction.of(directory, Probe.class, List.of("-XX:+PrintCompilation"));
    try (LocalZygoteHost host =
            new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
        Zygote zygote = host.build(spec, warmup, CALL, (stage, done, total) -> {})) {
      assertThat(thrownAway(zygote.fork(), echo)).isEmpty();
      assertThat(thrownAway(zygote.forkAhead(), echo)).isEmpty();
      byte[] other = json(Api.object("do", "length", "value", "x"));
      assertThat(thrownAway(zygote.fork(), other)).as("what no warm-up call has done").isNotEmpty();
    }
  }

  private static List<String> thrownAway(FunctionJvm clone, byte[] payload) throws Exception {
    try (clone) {
      Reply reply = clone.invoke(new Invocation("first", Map.of(), payload), CALL);
      assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
      // It has printed all that it will when it has ended.
      clone.stop(CALL);
      clone.exit().get(60, TimeUnit.SECONDS);
      return Stream.of(clone.outputTail(1 << 16).split("\n"))
          .filter(line -> line.contains(THROWN_AWAY))
          .toList();
    }
  }

  private static byte[] json(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
