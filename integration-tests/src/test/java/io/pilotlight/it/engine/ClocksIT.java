package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pilotlight.engine.Isolation;
import io.pilotlight.it.functions.Timing;
import io.pilotlight.it.support.ClockAhead;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FreezePolicy;
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
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An image is written where the monotonic clock is a day ahead, as on a machine that has been up
 * for longer, and restored here.
 */
final class ClocksIT {
  private static final Duration CALL = Duration.ofSeconds(60);

  private Path directory;

  @BeforeEach
  void make() throws Exception {
    directory = Files.createTempDirectory("pilotlight-clocks-");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
  }

  @AfterEach
  void remove() throws Exception {
    FileTree.delete(directory);
  }

  /** Builds a zygote of a function and writes its image. */
  static final class Dump {
    private Dump() {}

    /**
     * Does it.
     *
     * @param arguments a directory, the image to be, the isolation
     */
    public static void main(String[] arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      try (LocalZygoteHost host = open(directory);
          Zygote built =
              host.build(
                  spec(directory, Isolation.valueOf(arguments[2])),
                  Warmup.NONE,
                  CALL,
                  (stage, done, total) -> {})) {
        host.writeImage(built, Path.of(arguments[1]));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "PROCESS"})
  void clocksGoOnWhereTheMachinesIsLower(Isolation isolation) throws Exception {
    Path first = directory.resolve("first");
    Path second = directory.resolve("second");
    dump(first, isolation);
    try (LocalZygoteHost host = open(directory)) {
      assumeThat(host.obstacle(isolation)).isEmpty();
      try (Zygote restored = host.restore(first, true)) {
        check(restored);
        host.writeImage(restored, second);
      }
      // Its clocks were put forward already when this one was written.
      FileTree.delete(first);
      try (Zygote again = host.restore(second, true)) {
        check(again);
      }
    }
  }

  private void dump(Path image, Isolation isolation) throws Exception {
    List<String> command = new ArrayList<>(ClockAhead.launcher());
    command.add(TestJvm.tool("java").toString());
    command.add("-Dpilotlight.agent=" + TestJvm.agentJar());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Dump.class.getName(), directory.toString(), image.toString()));
    command.add(isolation.name());
    TestJvm.run(command);
  }

  private static FunctionSpec spec(Path directory, Isolation isolation) throws Exception {
    return TestFunction.isolated(TestFunction.of(directory, Timing.class, List.of()), isolation);
  }

  private static LocalZygoteHost open(Path directory) throws Exception {
    return new LocalZygoteHost(
        directory, TestJvm.agentJar(), EngineListener.NONE, FreezePolicy.AT_ANY_INSTANT);
  }

  private static void check(Zygote zygote) throws Exception {
    for (int i = 0; i < 2; i++) {
      FunctionJvm clone = zygote.fork();
      long before = System.nanoTime();
      Reply reply = clone.invoke(new Invocation("check", Map.of(), json()), CALL);
      long after = System.nanoTime();
      assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
      String answer =
          new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8).replace("\"", "");
      assertThat(answer).startsWith("in time ");
      long seconds = Long.parseLong(answer.substring("in time ".length()));
      assertThat(seconds)
          .isBetween(
              ClockAhead.SECONDS, ClockAhead.SECONDS + TimeUnit.NANOSECONDS.toSeconds(after));
      // What is measured of it is by the clock of who asked.
      assertThat(reply.enteredNanos()).isBetween(before, after);
      assertThat(reply.finishedNanos()).isBetween(reply.enteredNanos(), after);
      clone.close();
    }
  }

  private static byte[] json() {
    return "\"check\"".getBytes(StandardCharsets.UTF_8);
  }
}
