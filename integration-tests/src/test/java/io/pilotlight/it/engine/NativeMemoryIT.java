package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pilotlight.engine.Isolation;
import io.pilotlight.it.functions.Nameless;
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
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Memory and files that have no name any more come back from an image, and from its image. */
final class NativeMemoryIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final FreezePolicy QUICK = new FreezePolicy(false, true, false);

  private Path directory;

  @BeforeEach
  void make() throws Exception {
    directory = Files.createTempDirectory("pilotlight-nameless-");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
  }

  @AfterEach
  void remove() throws Exception {
    FileTree.delete(directory);
  }

  @ParameterizedTest
  @EnumSource(Isolation.class)
  void comesBackWithWhatHasNoName(Isolation isolation) throws Exception {
    FunctionSpec spec = spec(isolation);
    Path first = directory.resolve("first");
    Path second = directory.resolve("second");
    try (LocalZygoteHost host = open()) {
      assumeThat(host.obstacle(isolation)).isEmpty();
      try (Zygote built = host.build(spec, Warmup.NONE, CALL, (stage, done, total) -> {})) {
        assertThat(unnamed(built.pid())).contains("jna").contains("memfd:code");
        check(built);
        host.writeImage(built, first);
      }
    }
    try (LocalZygoteHost host = open()) {
      try (Zygote restored = host.restore(first, true)) {
        assertThat(unnamed(restored.pid())).as("mapped without a name").isEmpty();
        check(restored);
        host.writeImage(restored, second);
      }
      // The image of what came from an image needs no other.
      FileTree.delete(first);
      assertThat(Files.readString(second.resolve("state.json"))).doesNotContain(first.toString());
      try (Zygote again = host.restore(second, true)) {
        check(again);
      }
    }
  }

  @Test
  void codeIsReadWhereItMayNotBeMapped() throws Exception {
    assumeThat(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))
        .as("only root may mount a file system")
        .isEqualTo(0);
    Path mount = Files.createDirectory(directory.resolve("noexec"));
    TestJvm.run(
        List.of("mount", "-t", "tmpfs", "-o", "noexec,size=512m", "none", mount.toString()));
    try (LocalZygoteHost host = open()) {
      Path image = mount.resolve("image");
      try (Zygote built =
          host.build(spec(Isolation.NONE), Warmup.NONE, CALL, (stage, done, total) -> {})) {
        host.writeImage(built, image);
      }
      try (Zygote restored = host.restore(image, true)) {
        check(restored);
      }
    } finally {
      TestJvm.run(List.of("umount", mount.toString()));
    }
  }

  private FunctionSpec spec(Isolation isolation) throws Exception {
    return TestFunction.isolated(
        TestFunction.withJna(directory, Nameless.class, Map.of()), isolation);
  }

  private LocalZygoteHost open() throws Exception {
    return new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE, QUICK);
  }

  /** What a process has mapped that cannot be opened by its path. */
  private static String unnamed(long pid) throws Exception {
    return String.join(
        "\n",
        Files.readAllLines(Path.of("/proc/" + pid + "/maps")).stream()
            .filter(line -> line.endsWith(" (deleted)"))
            .toList());
  }

  /** Each clone has its own copy of all of it. */
  private static void check(Zygote zygote) throws Exception {
    for (int i = 0; i < 2; i++) {
      FunctionJvm clone = zygote.fork();
      assertThat(call(clone, "one ")).isEqualTo("1,42,123,1-3-1,2,5,0,zygote one ,1");
      assertThat(call(clone, "two")).isEqualTo("2,42,123,1-3-2,2,5,0,zygote one two,1");
      clone.close();
    }
  }

  private static String call(FunctionJvm clone, String input) throws Exception {
    byte[] payload = ("\"" + input + "\"").getBytes(StandardCharsets.UTF_8);
    Reply reply = clone.invoke(new Invocation("check", Map.of(), payload), CALL);
    assertThat(reply).as(clone.outputTail(4000) + reply).isInstanceOf(Reply.Success.class);
    return new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8).replace("\"", "");
  }
}
