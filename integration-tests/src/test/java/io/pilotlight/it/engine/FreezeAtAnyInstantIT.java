package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.functions.Restless;
import io.pilotlight.it.support.AttachListener;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FreezePolicy;
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
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Freezes JVMs while they allocate, compile, lock, run timers and load classes, and has every clone
 * do all of that again. {@code -Dtorture.freezes=1000} for the whole.
 */
final class FreezeAtAnyInstantIT {
  private static final Duration CALL = Duration.ofSeconds(60);

  /** At any instant too, but with the memory put into huge pages. */
  private static final FreezePolicy SHAPED = new FreezePolicy(false, false, true);

  @TempDir Path directory;

  static List<String> collectors() throws Exception {
    return TestJvm.collectors();
  }

  @ParameterizedTest
  @MethodSource("collectors")
  void everyCloneWorks(String collector) throws Exception {
    int freezes = Integer.getInteger("torture.freezes");
    long seed = System.nanoTime();
    Random random = new Random(seed);
    FunctionSpec spec = TestFunction.of(directory, Restless.class, List.of(collector));
    for (int i = 0; i < freezes; i++) {
      FreezePolicy policy = i % 2 == 0 ? FreezePolicy.AT_ANY_INSTANT : SHAPED;
      try (LocalZygoteHost host =
          new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE, policy)) {
        String which = collector + ", freeze " + i + ", seed " + seed;
        freezeAndCheck(host, spec, random, which, i == 0);
      }
    }
  }

  private static void freezeAndCheck(
      LocalZygoteHost host, FunctionSpec spec, Random random, String which, boolean jcmd)
      throws Exception {
    byte[] spin = json(Integer.toString(random.nextInt(100_000)));
    Warmup warmup = new Warmup(List.of(spin), 1, Duration.ofSeconds(10), CALL);
    try (Zygote zygote = host.build(spec, warmup, CALL, (stage, done, total) -> {})) {
      check(zygote.fork(), which + ", clone", false);
      check(zygote.forkAhead(), which + ", clone of the pool", jcmd);
    }
  }

  private static void check(FunctionJvm clone, String which, boolean jcmd) throws Exception {
    try {
      Reply reply = clone.invoke(new Invocation("check", Map.of(), json("check")), CALL);
      assertThat(reply).as(which + ": " + clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
      assertThat(new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8))
          .as(which)
          .startsWith("\"ok ");
      String dump =
          jcmd
              ? TestJvm.run("jcmd", Long.toString(clone.pid()), "Thread.print")
              : AttachListener.command(clone.pid(), "Thread.print");
      assertThat(dump).as(which).contains("\"allocates\"", "\"compiles\"", "\"main\"");
      clone.stop(Duration.ofSeconds(30));
      assertThat(clone.exit().get(60, TimeUnit.SECONDS))
          .as(which)
          .isEqualTo(new ExitStatus.Exited(0));
    } finally {
      clone.close();
    }
  }

  private static byte[] json(String text) {
    return ("\"" + text + "\"").getBytes(StandardCharsets.UTF_8);
  }
}
