package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.it.functions.Restless;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FreezePolicy;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageException;
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
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A JVM that is never at rest is written to disk, ended, and comes back from there. */
final class ImageIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final int CLONES = 3;

  @TempDir Path directory;

  static List<String> collectors() throws Exception {
    return TestJvm.collectors();
  }

  @ParameterizedTest
  @MethodSource("collectors")
  void comesBackAfterItsEnd(String collector) throws Exception {
    FunctionSpec spec = TestFunction.of(directory, Restless.class, List.of(collector));
    Warmup warmup = new Warmup(List.of(json("20000")), 1, Duration.ofSeconds(10), CALL);
    Path image = directory.resolve("image");
    try (LocalZygoteHost host = open()) {
      try (Zygote built = host.build(spec, warmup, CALL, (stage, done, total) -> {})) {
        assertThat(host.writeImage(built, image).bytes()).isGreaterThan(1 << 20);
        assertThatThrownBy(() -> host.writeImage(built, image))
            .as("an image is never changed")
            .isInstanceOf(ImageException.class);
      }
    }
    try (LocalZygoteHost host = open();
        Zygote zygote = host.restore(image, true)) {
      assertThat(zygote.spec()).isEqualTo(spec);
      List<FunctionJvm> clones = new ArrayList<>();
      for (int i = 0; i < CLONES; i++) {
        clones.add(i == 0 ? zygote.forkAhead() : zygote.fork());
        check(clones.get(i));
      }
      // Clones that live have its pages mapped: they do not miss its files.
      for (Path part : List.of(image.resolve("pages"), image.resolve("state.json"))) {
        Files.delete(part);
      }
      for (FunctionJvm clone : clones) {
        giveMemoryBack(clone.pid());
        check(clone);
        clone.close();
      }
      assertThatThrownBy(() -> host.restore(image, true))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining("missing");
    }
  }

  private LocalZygoteHost open() throws Exception {
    return new LocalZygoteHost(
        directory, TestJvm.agentJar(), EngineListener.NONE, FreezePolicy.AT_ANY_INSTANT);
  }

  private static void check(FunctionJvm clone) throws Exception {
    Reply reply = clone.invoke(new Invocation("check", Map.of(), json("check")), CALL);
    assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
    assertThat(new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8))
        .startsWith("\"ok ");
  }

  /** By collections, and by what is free in the C library's heaps. */
  private static void giveMemoryBack(long pid) throws Exception {
    TestJvm.run("jcmd", Long.toString(pid), "GC.run");
    TestJvm.run("jcmd", Long.toString(pid), "System.trim_native_heap");
  }

  private static byte[] json(String text) {
    return ("\"" + text + "\"").getBytes(StandardCharsets.UTF_8);
  }
}
