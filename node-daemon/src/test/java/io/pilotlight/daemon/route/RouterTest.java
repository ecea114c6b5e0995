package io.pilotlight.daemon.route;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.cgroup.MachineMemory;
import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.FakeJvm;
import io.pilotlight.daemon.fake.FakeZygote;
import io.pilotlight.daemon.fake.ManualTime;
import io.pilotlight.daemon.fake.TestJars;
import io.pilotlight.daemon.function.AllowedRoots;
import io.pilotlight.daemon.function.DefinitionStore;
import io.pilotlight.daemon.function.DeployRequest;
import io.pilotlight.daemon.function.Deployer;
import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.FunctionSettings;
import io.pilotlight.daemon.function.ImageKeeper;
import io.pilotlight.daemon.function.JarStore;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.function.SettingsJson;
import io.pilotlight.daemon.function.ZygoteBuilder;
import io.pilotlight.daemon.function.ZygoteMode;
import io.pilotlight.daemon.function.ZygoteReviewer;
import io.pilotlight.daemon.metrics.NodeMetrics;
import io.pilotlight.daemon.pool.ServingJvm;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import io.pilotlight.zygote.FunctionJvm.TimedOutException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.Invocation;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RouterTest {
  @TempDir Path directory;
  private final FakeHost host = new FakeHost();
  private final ManualTime time = new ManualTime();
  private final NodeMetrics metrics = new NodeMetrics("test");
  private final FunctionRegistry registry = new FunctionRegistry();
  private final ObjectMapper json = new ObjectMapper();
  private ZygoteBuilder builder;
  private Deployer deployer;
  private Router router;

  @BeforeEach
  void open() throws Exception {
    builder = new ZygoteBuilder(host, json, 1);
    JarStore jars = new JarStore(directory.resolve("jars"));
    SettingsJson settings =
        new SettingsJson(
            Path.of(System.getProperty("java.home")),
            AllowedRoots.everywhere(),
            () -> Isolation.NONE);
    deployer =
        new Deployer(
            registry,
            jars,
            new DefinitionStore(directory.resolve("functions"), jars, settings, json),
            builder,
            new ImageKeeper(
                host, new ImageStore(directory.resolve("images")), new ObjectMapper(), time, time),
            new Deployment.Policy(4, 1),
            time,
            time,
            metrics::removeFunction);
    router = new Router(host, metrics, time);
  }

  @AfterEach
  void close() {
    builder.close();
  }

  private ServedFunction deploy(FunctionSettings settings) throws Exception {
    Path jar = TestJars.write(directory.resolve("f.jar"), "f");
    ServedFunction function =
        deployer.deploy("f", new DeployRequest(List.of(jar), List.of(), settings)).function();
    time.settle();
    return function;
  }

  private Outcome invoke(ServedFunction function, @Nullable Start asked) {
    Invocation invocation = new Invocation("r-1", Map.of(), "{}".getBytes(UTF_8));
    try (Served served =
        router.invoke(function, new Call(invocation, asked, time.nanoTime(), false))) {
      return served.outcome();
    }
  }

  private static Start start(Outcome outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Answered.class);
    return ((Outcome.Answered) outcome).start();
  }

  private static NotStartedException dead() {
    return new NotStartedException("clone-died", "it ended before it had the request");
  }

  private String metricsText() {
    StringWriter out = new StringWriter();
    metrics.write(NodeMetrics.contentType(null), out);
    return out.toString();
  }

  @Test
  void takesAPooledCloneFirstAndThenTheWarmOne() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 1, 8));
    assertThat(start(invoke(function, null))).isEqualTo(Start.POOL);
    assertThat(start(invoke(function, null))).isEqualTo(Start.WARM);
    time.settle();
    assertThat(function.current().pooled()).as("refilled after the answer").isEqualTo(1);
    assertThat(metricsText()).contains("start=\"pool\",outcome=\"success\",} 1.0");
  }

  @Test
  void forksWhenThePoolIsEmpty() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    assertThat(start(invoke(function, null))).isEqualTo(Start.FORK);
  }

  @Test
  void startsColdWhenAskedTo() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 1, 8));
    assertThat(start(invoke(function, Start.COLD))).isEqualTo(Start.COLD);
    assertThat(start(invoke(function, null))).as("it is kept").isEqualTo(Start.WARM);
  }

  @Test
  void startsColdAtOnceWhenResourcesDoNotComeBackInAClone() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 3, 8));
    time.settle();
    host.behave(
        (jvm, invocation) -> {
          if (jvm.id().startsWith("cold")) {
            return FakeHost.success(1, invocation.payload());
          }
          throw new NotStartedException(NotStartedException.RESTORE_FAILED, "no route");
        });
    assertThat(start(invoke(function, null))).isEqualTo(Start.COLD);
    assertThat(host.jvms().stream().filter(jvm -> !jvm.alive())).as("tried").hasSize(1);
    assertThat(metricsText()).contains("to=\"cold\",reason=\"restore-failed\",} 1.0");
  }

  @Test
  void fallsBackFromEachStartToTheNextAndCountsIt() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 1, 8));
    invoke(function, Start.FORK); // one warm
    host.behave(
        (jvm, invocation) -> {
          if (jvm.id().startsWith("cold")) {
            return FakeHost.success(1, invocation.payload());
          }
          throw dead();
        });
    assertThat(start(invoke(function, null))).isEqualTo(Start.COLD);
    assertThat(metricsText())
        .contains("{from=\"warm\",to=\"pool\",reason=\"clone-died\",} 1.0")
        .contains("{from=\"pool\",to=\"fork\",reason=\"clone-died\",} 1.0")
        .contains("{from=\"fork\",to=\"cold\",reason=\"clone-died\",} 1.0");
  }

  @Test
  void startsColdWhileTheZygoteIsLostAndForksAgainWhenItIsRebuilt() throws Exception {
    ServedFunction function = deploy(Definitions.settings(true, 0, 8));
    CountDownLatch rebuild = new CountDownLatch(1);
    host.whileBuilding((spec, progress) -> rebuild.await());
    host.newest().lose();
    assertThat(function.state()).isEqualTo(ServedFunction.State.REBUILDING);
    assertThat(start(invoke(function, null))).isEqualTo(Start.COLD);
    assertThat(metricsText()).contains("{from=\"fork\",to=\"cold\",reason=\"no-zygote\",} 1.0");
    assertThat(function.lastError()).contains("SIGKILL");
    rebuild.countDown();
    awaitState(function, ServedFunction.State.READY);
    assertThat(start(invoke(function, null))).isEqualTo(Start.FORK);
    assertThat(function.lastError()).isNull();
  }

  @Test
  void restoresItsImageWhileTheZygoteIsLost() throws Exception {
    ServedFunction function = deploy(Definitions.withImage(true, 0, 8));
    assertThat(start(invoke(function, null))).isEqualTo(Start.FORK);
    assertThat(start(invoke(function, Start.RESTORE))).isEqualTo(Start.RESTORE);
    CountDownLatch rebuild = new CountDownLatch(1);
    host.whileBuilding((spec, progress) -> rebuild.await());
    host.zygotes().get(0).lose();
    assertThat(start(invoke(function, null))).isEqualTo(Start.RESTORE);
    assertThat(metricsText()).contains("{from=\"fork\",to=\"restore\",reason=\"no-zygote\",} 1.0");
    // Its process is lost too, and made anew.
    host.zygotes().get(1).lose();
    assertThat(start(invoke(function, null))).isEqualTo(Start.COLD);
    time.settle();
    assertThat(start(invoke(function, null))).isEqualTo(Start.RESTORE);
    rebuild.countDown();
    awaitState(function, ServedFunction.State.READY);
    assertThat(start(invoke(function, Start.FORK))).isEqualTo(Start.FORK);
  }

  private ZygoteReviewer reviewer() {
    MachineMemory.Reading plenty = new MachineMemory.Reading(OptionalDouble.empty(), List.of());
    return new ZygoteReviewer(registry, () -> plenty, 0, time, metrics::zygoteEnded);
  }

  @Test
  void takesTurnsUntilItKnowsThatForksDoNotPay() throws Exception {
    ServedFunction function = deploy(Definitions.withImage(true, 0, 8));
    Map<Start, Integer> starts = new EnumMap<>(Start.class);
    for (int i = 0; i < 48; i++) {
      starts.merge(start(invoke(function, null)), 1, Integer::sum);
    }
    assertThat(starts).containsEntry(Start.FORK, 24).containsEntry(Start.RESTORE, 24);
    reviewer().review();
    assertThat(host.zygotes().get(0).ended()).isTrue();
    assertThat(function.state()).isEqualTo(ServedFunction.State.READY);
    assertThat(start(invoke(function, null))).isEqualTo(Start.RESTORE);
    assertThat(metricsText())
        .contains("pilotlight_zygotes_ended_total{reason=\"does-not-pay\",} 1.0")
        .doesNotContain("pilotlight_fallbacks_total{");
    assertThat(invoke(function, Start.FORK))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            refused -> assertThat(refused.message()).contains("was ended", "zygoteMode 'memory'"));
    assertThat(host.zygotes()).as("nothing was built anew").hasSize(2);
  }

  @Test
  void rebuildsTheZygoteWhenTheImageThatServesAloneIsLost() throws Exception {
    ServedFunction function = deploy(Definitions.withImage(ZygoteMode.IMAGE));
    reviewer().review();
    assertThat(function.current().zygote()).isNull();
    CountDownLatch rebuild = new CountDownLatch(1);
    host.whileBuilding((spec, progress) -> rebuild.await());
    host.damageImages();
    host.newest().lose();
    time.settle();
    assertThat(start(invoke(function, null))).isEqualTo(Start.COLD);
    assertThat(metricsText()).contains("to=\"cold\",reason=\"image-damaged\",} 1.0");
    assertThat(function.state()).isEqualTo(ServedFunction.State.REBUILDING);
    rebuild.countDown();
    awaitState(function, ServedFunction.State.READY);
    assertThat(start(invoke(function, null))).isEqualTo(Start.FORK);
    reviewer().review();
    assertThat(function.current().zygote()).as("its image is damaged again").isNotNull();
  }

  @Test
  void doesWithoutAnImageThatCannotBeRestoredAndCountsIt() throws Exception {
    host.damageImages();
    ServedFunction function = deploy(Definitions.withImage(true, 0, 8));
    assertThat(start(invoke(function, null))).isEqualTo(Start.FORK);
    assertThat(invoke(function, Start.RESTORE))
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            refused -> assertThat(refused.message()).contains("restore", "no image"));
    CountDownLatch rebuild = new CountDownLatch(1);
    host.whileBuilding((spec, progress) -> rebuild.await());
    host.zygotes().get(0).lose();
    assertThat(start(invoke(function, null))).isEqualTo(Start.COLD);
    assertThat(metricsText())
        .contains("{from=\"restore\",to=\"cold\",reason=\"image-damaged\",} 1.0");
    rebuild.countDown();
    awaitState(function, ServedFunction.State.READY);
  }

  private static void awaitState(ServedFunction function, ServedFunction.State state) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (function.state() != state && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(function.state()).isEqualTo(state);
  }

  @Test
  void anExplicitStartIsTheOnlyOneThatIsTried() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 1, 8));
    Outcome outcome = invoke(function, Start.WARM);
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            refused -> {
              assertThat(refused.reason()).isEqualTo(Outcome.Reason.START_NOT_POSSIBLE);
              assertThat(refused.message()).contains("warm", "'f'", "idle");
            });
    host.behave(
        (jvm, invocation) -> {
          throw dead();
        });
    outcome = invoke(function, Start.FORK);
    assertThat(outcome)
        .isInstanceOfSatisfying(
            Outcome.Unavailable.class,
            refused -> {
              assertThat(refused.reason()).isEqualTo(Outcome.Reason.STARTS_FAILED);
              assertThat(refused.message()).contains("it ended before it had the request");
            });
  }

  @Test
  void neverRunsARequestTwice() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 2, 8));
    host.behave(
        (jvm, invocation) -> {
          jvm.end(new ExitStatus.Exited(3));
          throw new DiedException("it died", new ExitStatus.Exited(3), "last words");
        });
    assertThat(invoke(function, null)).isInstanceOf(Outcome.Died.class);
    assertThat(metricsText()).contains("start=\"pool\",outcome=\"died\",} 1.0");
    assertThat(metricsText()).doesNotContain("pilotlight_fallbacks_total{");
  }

  @Test
  void aProcessThatTimedOutIsNotUsedAgain() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    host.behave(
        (jvm, invocation) -> {
          throw new TimedOutException("3 s");
        });
    assertThat(invoke(function, null)).isInstanceOf(Outcome.TimedOut.class);
    assertThat(host.jvms()).noneMatch(FakeJvm::alive);
    assertThat(invoke(function, Start.WARM)).isInstanceOf(Outcome.Unavailable.class);
  }

  @Test
  void aOneShotProcessIsStoppedAfterTheAnswer() throws Exception {
    ServedFunction function = deploy(Definitions.settings(true, 0, 8));
    Invocation invocation = new Invocation("r-1", Map.of(), new byte[0]);
    try (Served served =
        router.invoke(function, new Call(invocation, null, time.nanoTime(), false))) {
      assertThat(served.outcome()).isInstanceOf(Outcome.Answered.class);
      assertThat(host.jvms().get(0).alive()).isTrue();
    }
    assertThat(host.jvms().get(0).alive()).isFalse();
    assertThat(function.current().jvms()).isEmpty();
  }

  @Test
  void aFirstCallIsRecordedAfterTheAnswerAndBeforeTheProcessIsStopped() throws Exception {
    host.recordFirstCalls();
    ServedFunction function = deploy(Definitions.settings(true, 0, 8));
    Invocation invocation = new Invocation("r-1", Map.of(), new byte[0]);
    try (Served served =
        router.invoke(function, new Call(invocation, null, time.nanoTime(), false))) {
      assertThat(served.outcome()).isInstanceOf(Outcome.Answered.class);
      assertThat(host.jvms().get(0).recorded()).as("not on the answer's way").isFalse();
    }
    assertThat(host.jvms().get(0).recorded()).isTrue();
    assertThat(host.jvms().get(0).alive()).isFalse();
  }

  @Test
  void pageFaultsOfFirstCallsInPooledClonesAreCounted() throws Exception {
    ServedFunction function = deploy(Definitions.settings(true, 1, 8));
    assertThat(start(invoke(function, Start.FORK))).isEqualTo(Start.FORK);
    assertThat(faultsCounted()).isFalse();
    assertThat(start(invoke(function, Start.POOL))).isEqualTo(Start.POOL);
    assertThat(faultsCounted()).isTrue();
  }

  private boolean faultsCounted() {
    StringWriter text = new StringWriter();
    metrics.write(NodeMetrics.contentType(null), text);
    return text.toString()
        .contains("pilotlight_first_call_faults_sum{function=\"f\",replayed=\"true\",} 30.0");
  }

  @Test
  void onlyTheFirstCallIsRecorded() throws Exception {
    host.recordFirstCalls();
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    assertThat(start(invoke(function, null))).isEqualTo(Start.FORK);
    assertThat(start(invoke(function, null))).isEqualTo(Start.WARM);
    assertThat(host.jvms().get(0).recorded()).isTrue();
  }

  @Test
  void throttlesOverTheConcurrency() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 1));
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    host.behave(
        (jvm, invocation) -> {
          entered.countDown();
          awaitQuietly(finish);
          return FakeHost.success(1, new byte[0]);
        });
    ExecutorService caller = Executors.newSingleThreadExecutor();
    try {
      Future<Outcome> first = caller.submit(() -> invoke(function, null));
      entered.await();
      assertThat(invoke(function, null)).isEqualTo(new Outcome.Throttled(1));
      finish.countDown();
      assertThat(first.get()).isInstanceOf(Outcome.Answered.class);
      assertThat(function.running()).isZero();
      assertThat(invoke(function, null)).isInstanceOf(Outcome.Answered.class);
    } finally {
      finish.countDown();
      caller.shutdownNow();
    }
    assertThat(metricsText()).contains("start=\"none\",outcome=\"throttled\",} 1.0");
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void letsIdleProcessesGoWhenTheirTimeHasCome() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    invoke(function, null);
    time.advance(Duration.ofSeconds(59));
    deployer.expireIdle();
    assertThat(function.current().jvms()).hasSize(1);
    time.advance(Duration.ofSeconds(1));
    deployer.expireIdle();
    assertThat(function.current().jvms()).isEmpty();
    assertThat(host.jvms()).noneMatch(FakeJvm::alive);
  }

  @Test
  void keepsNoMoreProcessesThanThePolicySays() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    for (int i = 0; i < 6; i++) {
      invoke(function, Start.FORK);
    }
    assertThat(function.current().count().get(ServingJvm.State.IDLE)).isEqualTo(4);
  }

  @Test
  void saysWhyAFunctionDoesNotInitialiseCold() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    host.whileStartingCold(
        (spec, progress) -> {
          throw new BuildException(BuildException.Fault.FUNCTION, "it threw", "out", null, null);
        });
    assertThat(invoke(function, Start.COLD))
        .isInstanceOfSatisfying(
            Outcome.NotInitialised.class,
            failed -> assertThat(failed.cause()).hasMessage("it threw"));
    assertThat(function.current().coldStarts().availablePermits()).isEqualTo(1);
  }

  @Test
  void anInvocationKeepsItsVersionWhileTheNextIsDeployed() throws Exception {
    ServedFunction function = deploy(Definitions.settings(false, 0, 8));
    FakeZygote old = host.newest();
    Invocation invocation = new Invocation("r-1", Map.of(), new byte[0]);
    try (Served served =
        router.invoke(function, new Call(invocation, null, time.nanoTime(), false))) {
      assertThat(served.outcome()).isInstanceOf(Outcome.Answered.class);
      deploy(Definitions.settings(false, 0, 8));
      assertThat(old.ended()).as("somebody still uses it").isFalse();
    }
    time.settle();
    assertThat(old.ended()).isTrue();
    assertThat(host.jvms()).noneMatch(FakeJvm::alive);
    assertThat(function.current().definition().version()).isEqualTo(2);
  }
}
