package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.FakeJvm;
import io.pilotlight.daemon.fake.FakeZygote;
import io.pilotlight.daemon.fake.ManualTime;
import io.pilotlight.daemon.fake.TestJars;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.BuildProgress;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DeployerTest {
  @TempDir Path directory;
  private final FakeHost host = new FakeHost();
  private final ManualTime time = new ManualTime();
  private final ObjectMapper json = new ObjectMapper();
  private final FunctionRegistry registry = new FunctionRegistry();
  private final List<String> removed = new ArrayList<>();
  private final ExecutorService other = Executors.newSingleThreadExecutor();
  private ZygoteBuilder builder;
  private Deployer deployer;

  @BeforeEach
  void open() throws Exception {
    builder = new ZygoteBuilder(host, json, 1);
    deployer = deployer(registry);
  }

  private Deployer deployer(FunctionRegistry functions) throws Exception {
    JarStore jars = new JarStore(directory.resolve("jars"));
    SettingsJson settings =
        new SettingsJson(
            Path.of(System.getProperty("java.home")),
            AllowedRoots.everywhere(),
            () -> Isolation.NONE);
    return new Deployer(
        functions,
        jars,
        new DefinitionStore(directory.resolve("functions"), jars, settings, json),
        builder,
        new ImageKeeper(
            host, new ImageStore(directory.resolve("images")), new ObjectMapper(), time, time),
        new Deployment.Policy(4, 1),
        time,
        time,
        removed::add);
  }

  @AfterEach
  void close() {
    other.shutdownNow();
    builder.close();
  }

  private Deployer.Deployed deploy(String name, String content) throws Exception {
    Path jar = TestJars.write(directory.resolve(content + ".jar"), content);
    return deployer.deploy(
        name, new DeployRequest(List.of(jar), List.of(), Definitions.settings(false, 1, 4)));
  }

  private long filesIn(String name) throws Exception {
    try (Stream<Path> files = Files.list(directory.resolve(name))) {
      return files.count();
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  private static BuildException broken(BuildException.Fault fault) {
    return new BuildException(fault, "broken", "", null, null);
  }

  @Test
  void deploysAndReplacesAndRemoves() throws Exception {
    assertThat(deploy("f", "one").created()).isTrue();
    FakeZygote first = host.newest();
    ServedFunction function = registry.find("f");
    assertThat(function.state()).isEqualTo(ServedFunction.State.READY);

    assertThat(deploy("f", "two").created()).isFalse();
    time.settle();
    assertThat(first.ended()).isTrue();
    assertThat(function.current().definition().version()).isEqualTo(2);
    assertThat(filesIn("jars")).as("the old jar is gone").isEqualTo(1);

    other.submit(this::settleUntilInterrupted);
    assertThat(deployer.remove("f")).isTrue();
    assertThat(registry.find("f")).isNull();
    assertThat(removed).containsExactly("f");
    assertThat(host.newest().ended()).isTrue();
    assertThat(host.jvms()).noneMatch(FakeJvm::alive);
    await(() -> !Files.exists(directory.resolve("functions/f.json")));
    assertThat(filesIn("jars")).isZero();
    assertThat(deployer.remove("f")).isFalse();
  }

  private void settleUntilInterrupted() {
    while (!Thread.currentThread().isInterrupted()) {
      time.settle();
      Thread.onSpinWait();
    }
  }

  @Test
  void aFailedFirstDeploymentLeavesNothing() throws Exception {
    host.whileBuilding(
        (spec, progress) -> {
          throw broken(BuildException.Fault.FUNCTION);
        });
    assertThatThrownBy(() -> deploy("f", "one")).isInstanceOf(BuildException.class);
    assertThat(registry.find("f")).isNull();
    assertThat(filesIn("jars")).isZero();
    assertThat(filesIn("functions")).isZero();
  }

  @Test
  void aFailedReplacementLeavesTheOldVersion() throws Exception {
    deploy("f", "one");
    host.whileBuilding(
        (spec, progress) -> {
          throw broken(BuildException.Fault.CONFIGURATION);
        });
    assertThatThrownBy(() -> deploy("f", "two")).isInstanceOf(BuildException.class);
    ServedFunction function = registry.find("f");
    assertThat(function.state()).isEqualTo(ServedFunction.State.READY);
    assertThat(function.current().definition().version()).isEqualTo(1);
    assertThat(function.lastError()).contains("version 2", "broken");
    assertThat(host.newest().ended()).isFalse();
    assertThat(filesIn("jars")).isEqualTo(1);
  }

  @Test
  void showsHowFarABuildIsAndRefusesASecondOne() throws Exception {
    CountDownLatch warming = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    host.whileBuilding(
        (spec, progress) -> {
          progress.at(BuildProgress.Stage.WARMING, 3, 10);
          warming.countDown();
          finish.await();
        });
    Future<Deployer.Deployed> first = other.submit(() -> deploy("f", "one"));
    warming.await();
    ServedFunction function = registry.find("f");
    assertThat(function.state()).isEqualTo(ServedFunction.State.BUILDING);
    assertThat(function.build()).isEqualTo(new BuildStatus(1, "warming", 3, 10));
    assertThat(function.lease()).isNull();
    assertThatThrownBy(() -> deploy("f", "two")).isInstanceOf(ConflictException.class);
    assertThatThrownBy(() -> deployer.remove("f")).isInstanceOf(ConflictException.class);
    finish.countDown();
    assertThat(first.get().created()).isTrue();
    assertThat(function.build()).isNull();
    assertThat(filesIn("jars")).isEqualTo(1);
  }

  @Test
  void rebuildsALostZygoteWithGrowingPausesWhileThatFails() throws Exception {
    deploy("f", "one");
    time.settle();
    ServedFunction function = registry.find("f");
    host.whileBuilding(
        (spec, progress) -> {
          throw broken(BuildException.Fault.SYSTEM);
        });
    host.newest().lose();
    await(() -> function.state() == ServedFunction.State.DEGRADED && time.pending() > 0);
    assertThat(function.lastError()).isEqualTo("zygote not built: broken");
    host.whileBuilding((spec, progress) -> {});
    int built = host.zygotes().size();
    time.advance(Duration.ofMillis(999));
    assertThat(host.zygotes()).hasSize(built);
    time.advance(Duration.ofMillis(1));
    await(() -> function.state() == ServedFunction.State.READY);
    assertThat(function.lastError()).isNull();
  }

  @Test
  void givesUpWhatAnotherAttemptHardlyCures() throws Exception {
    deploy("f", "one");
    time.settle();
    ServedFunction function = registry.find("f");
    AtomicInteger attempts = new AtomicInteger();
    host.whileBuilding(
        (spec, progress) -> {
          attempts.incrementAndGet();
          throw broken(BuildException.Fault.FUNCTION);
        });
    host.newest().lose();
    for (int expected = 1; expected <= 5; expected++) {
      int reached = expected;
      await(() -> attempts.get() == reached && function.build() == null);
      if (expected < 5) {
        await(() -> time.pending() > 0);
        time.advance(Duration.ofMinutes(2));
      }
    }
    await(() -> function.lastError() != null && function.lastError().contains("broken"));
    time.advance(Duration.ofHours(1));
    assertThat(attempts).hasValue(5);
    assertThat(function.state()).isEqualTo(ServedFunction.State.DEGRADED);
  }

  @Test
  void loadsWhatAnEarlierDaemonHadAndAdoptsItsZygotes() throws Exception {
    deploy("kept", "one");
    deploy("orphan", "two");
    FunctionSpec spec = registry.find("kept").current().spec();
    FakeZygote kept = host.leave(spec);
    FakeZygote stale = host.leave(otherVersion(spec));

    FunctionRegistry reloaded = new FunctionRegistry();
    deployer(reloaded).restore(host.adopt().zygotes()).get(10, TimeUnit.SECONDS);
    assertThat(reloaded.find("kept").current().zygote()).isSameAs(kept);
    assertThat(reloaded.find("orphan").state()).isEqualTo(ServedFunction.State.READY);
    assertThat(stale.ended()).isTrue();
    assertThat(filesIn("jars")).isEqualTo(2);
  }

  private static FunctionSpec otherVersion(FunctionSpec spec) {
    return new FunctionSpec(
        spec.name(),
        "99",
        spec.handler(),
        spec.jars(),
        spec.layers(),
        spec.environment(),
        spec.limits(),
        spec.javaHome(),
        spec.jvmArgs());
  }
}
