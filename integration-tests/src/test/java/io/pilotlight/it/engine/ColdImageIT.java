package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.linux.CachedFile;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What first calls read of an image is known, and is read ahead when it is only on disk. */
final class ColdImageIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final int RECORDED = 4;
  private static final byte[] PAYLOAD =
      Api.object("do", "echo", "value", "x".repeat(1000)).getBytes(StandardCharsets.UTF_8);
  private static final Warmup WARMUP =
      new Warmup(List.of(PAYLOAD), 100, Duration.ofSeconds(30), CALL);

  /** Not in the directory for temporary files, which may be memory. */
  private static Path directory;

  private static Path image;

  @BeforeAll
  static void write() throws Exception {
    directory = Files.createTempDirectory(Path.of("target").toAbsolutePath(), "cold-image");
    image = directory.resolve("image");
    try (LocalZygoteHost host = open()) {
      FunctionSpec spec = TestFunction.of(directory, Probe.class, List.of());
      try (Zygote built = host.build(spec, WARMUP, CALL, (stage, done, total) -> {})) {
        host.writeImage(built, image);
      }
      host.rehearse(image, WARMUP);
    }
  }

  @AfterAll
  static void remove() throws Exception {
    FileTree.delete(directory);
  }

  private static LocalZygoteHost open() throws Exception {
    return new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
  }

  private static void callNewClone(Zygote zygote) throws Exception {
    FunctionJvm clone = zygote.fork();
    try {
      assertThat(clone.records()).as("its first call is recorded").isFalse();
      Reply reply = clone.invoke(new Invocation("r", Map.of(), PAYLOAD), CALL);
      assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
    } finally {
      clone.close();
    }
    clone.exit().join();
  }

  private int cachedPages() throws Exception {
    try (CachedFile pages = CachedFile.open(image.resolve("pages"))) {
      return pages.cached().cardinality();
    }
  }

  /** A later daemon, too. */
  @Test
  void isReadAheadOnceAndThenCompletely() throws Exception {
    int all = (int) (Files.size(image.resolve("pages")) / 4096);
    assertThat(image.resolve("workingset")).isNotEmptyFile();
    assertThat(Files.size(image.resolve("workingset"))).isLessThan(32 << 10);
    try (LocalZygoteHost host = open();
        Zygote zygote = host.restore(image, true)) {
      assertThat(zygote.replay().recordings()).isEqualTo(RECORDED);
      long known = zygote.replay().imagePages();
      assertThat(known).isBetween(100L, all / 4L);
      // To restore it has read it whole.
      callNewClone(zygote);
      assertThat(zygote.replay().imageReads()).as("of what is there").isZero();
      assertThat(zygote.replay().replayedPages()).isPositive();

      ImageStore.dropFromPageCache(image);
      assertThat(cachedPages()).isLessThan((int) known / 2);
      callNewClone(zygote);
      assertThat(zygote.replay().imageReads()).isEqualTo(1);
      // The rest is read behind it, for later calls.
      Eventually.holds("all of it is there", () -> cachedPages() >= all);
      callNewClone(zygote);
      assertThat(zygote.replay().imageReads()).isEqualTo(1);
    }
  }

  @Test
  void withoutReplayOrWithADamagedSetItIsLeftToTheKernel() throws Exception {
    try (LocalZygoteHost host = open()) {
      try (Zygote zygote = host.restore(image, false)) {
        assertThat(zygote.replay().imagePages()).isZero();
      }
      Path set = image.resolve("workingset");
      byte[] whole = Files.readAllBytes(set);
      byte[] damaged = whole.clone();
      damaged[damaged.length / 2] ^= 1;
      Files.write(set, damaged);
      try (Zygote zygote = host.restore(image, true)) {
        assertThat(zygote.replay().imagePages()).isZero();
        assertThat(zygote.replay().recordings()).isZero();
        ImageStore.dropFromPageCache(image);
        try (FunctionJvm clone = zygote.fork()) {
          Reply reply = clone.invoke(new Invocation("r", Map.of(), PAYLOAD), CALL);
          assertThat(reply).isInstanceOf(Reply.Success.class);
        }
        assertThat(zygote.replay().imageReads()).isZero();
      } finally {
        Files.write(set, whole);
      }
    }
  }
}
