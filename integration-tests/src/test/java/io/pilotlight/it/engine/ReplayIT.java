package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.recorder.Fit;
import io.pilotlight.recorder.WorkingSetReport;
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
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clones touch, before their first call, what first calls were recorded to touch. */
final class ReplayIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final int RECORDED = 4;
  private static final int CLONES = 5;
  private static final int PAGE_BYTES = 4096;
  private static final byte[] PAYLOAD =
      Api.object("do", "echo", "value", "x".repeat(1000)).getBytes(StandardCharsets.UTF_8);

  @TempDir Path directory;
  private LocalZygoteHost host;

  @BeforeEach
  void open() throws Exception {
    host = new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
  }

  @AfterEach
  void close() {
    host.close();
  }

  private Zygote build(Warmup warmup) throws Exception {
    FunctionSpec spec = TestFunction.of(directory, Probe.class, List.of());
    return host.build(spec, warmup, CALL, (stage, done, total) -> {});
  }

  private static void call(FunctionJvm clone) throws Exception {
    Reply reply = clone.invoke(new Invocation("r", Map.of(), PAYLOAD), CALL);
    assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
  }

  @Test
  void warmUpPayloadsAreRehearsedAndAWaitingCloneHasTouchedItAllWithOneThread() throws Exception {
    Warmup warmup = new Warmup(List.of(PAYLOAD), 200, Duration.ofSeconds(30), CALL);
    try (Zygote zygote = build(warmup)) {
      assertThat(zygote.replay().recordings()).isEqualTo(RECORDED);
      long pages = zygote.replay().writtenPages();
      assertThat(pages).isBetween(20L, 2_000L);
      assertNamed(zygote.workingSet());
      assertThat(zygote.replay().filePages()).isBetween(100L, 10_000L);
      try (FunctionJvm clone = zygote.forkAhead()) {
        Eventually.holds(
            "its pages are its own",
            () -> clone.privateBytes().orElse(0) >= pages * PAGE_BYTES * 9 / 10);
        assertThat(threads(clone)).isEqualTo(1);
        assertThat(zygote.replay().replayedPages()).isGreaterThanOrEqualTo(pages);
        call(clone);
      }
    }
  }

  /** Each region that a call of any function touches is there, and hardly anything has no name. */
  private static void assertNamed(WorkingSetReport report) {
    assertThat(report.rows())
        .extracting(WorkingSetReport.Row::region)
        .contains("java heap", "metaspace", "code cache", "libjvm", "stacks", "malloc");
    long all = pages(report, row -> true);
    assertThat(pages(report, row -> row.region().equals("other")))
        .as("pages without a name in %s", report.rows())
        .isLessThan(all / 10);
    assertThat(all).isEqualTo(report.usual().written().pages() + report.usual().file().pages());
  }

  private static long pages(WorkingSetReport report, Predicate<WorkingSetReport.Row> which) {
    return report.rows().stream()
        .filter(which)
        .mapToLong(row -> row.writtenPages() + row.filePages())
        .sum();
  }

  @Test
  void withReplaySwitchedOffNothingIsTouchedAhead() throws Exception {
    Warmup warmup = new Warmup(List.of(PAYLOAD), 50, Duration.ofSeconds(30), CALL);
    try (Zygote zygote = build(warmup)) {
      zygote.replaying(false);
      long before = zygote.replay().replayedPages();
      try (FunctionJvm clone = zygote.forkAhead()) {
        call(clone);
      }
      assertThat(zygote.replay().replayedPages()).isEqualTo(before);
    }
  }

  @Test
  void withoutAWarmUpFirstCallsAreRecordedAndLaterOnesHaveFewerFaults() throws Exception {
    try (Zygote zygote = build(Warmup.NONE)) {
      assertThat(zygote.replay().recordings()).isZero();
      List<Long> before = new ArrayList<>();
      for (int i = 0; i < RECORDED; i++) {
        try (FunctionJvm clone = zygote.forkAhead()) {
          assertThat(clone.records()).isTrue();
          before.add(faultsOfFirstCall(clone));
          clone.recordFirstCall();
          assertThat(clone.records()).as("once").isFalse();
        }
      }
      assertThat(zygote.replay().recordings()).isEqualTo(RECORDED);
      // Each call but the first was compared with what was known before it.
      Fit fit = zygote.replay().fit();
      assertThat(fit.used()).isGreaterThan(fit.unused() + fit.missed());
      List<Long> after = new ArrayList<>();
      for (int i = 0; i < CLONES; i++) {
        try (FunctionJvm clone = zygote.forkAhead()) {
          assertThat(clone.records()).isFalse();
          long pages = zygote.replay().writtenPages();
          Eventually.holds(
              "its pages are its own",
              () -> clone.privateBytes().orElse(0) >= pages * PAGE_BYTES * 9 / 10);
          after.add(faultsOfFirstCall(clone));
        }
      }
      assertThat(median(after))
          .as("%s after, %s before", after, before)
          .isLessThan(median(before) / 2);
    }
  }

  @Test
  void aCloneThatEndsIsOneRecordingLess() throws Exception {
    try (Zygote zygote = build(Warmup.NONE)) {
      FunctionJvm clone = zygote.fork();
      call(clone);
      clone.close();
      clone.exit().join();
      clone.recordFirstCall();
      assertThat(zygote.replay().recordings()).isZero();
      try (FunctionJvm next = zygote.fork()) {
        call(next);
        next.recordFirstCall();
      }
      assertThat(zygote.replay().recordings()).isEqualTo(1);
    }
  }

  private static long faultsOfFirstCall(FunctionJvm clone) throws Exception {
    long before = minorFaults(clone);
    call(clone);
    return minorFaults(clone) - before;
  }

  /** Field 10 of /proc/PID/stat; see proc(5). */
  private static long minorFaults(FunctionJvm clone) throws Exception {
    String line = Files.readString(Path.of("/proc/" + clone.pid() + "/stat"));
    return Long.parseLong(line.substring(line.lastIndexOf(')') + 2).split(" ", -1)[7]);
  }

  private static int threads(FunctionJvm clone) {
    String[] tasks = new java.io.File("/proc/" + clone.pid() + "/task").list();
    return tasks == null ? 0 : tasks.length;
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
