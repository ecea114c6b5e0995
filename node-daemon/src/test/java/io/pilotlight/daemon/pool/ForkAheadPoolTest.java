package io.pilotlight.daemon.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.FakeJvm;
import io.pilotlight.daemon.fake.FakeZygote;
import io.pilotlight.daemon.fake.ManualTime;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import io.pilotlight.zygote.Warmup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ForkAheadPoolTest {
  private final FakeHost host = new FakeHost();
  private final ManualTime time = new ManualTime();
  private int attempts;
  private FakeZygote zygote;
  private ForkAheadPool pool;

  @BeforeEach
  void open() throws Exception {
    zygote =
        (FakeZygote)
            host.build(Definitions.SPEC, Warmup.NONE, Duration.ZERO, (stage, done, total) -> {});
    pool =
        new ForkAheadPool(
            "f",
            3,
            () -> {
              attempts++;
              return new ServingJvm(zygote.forkAhead(), Start.POOL, ServingJvm.State.WAITING, 0);
            },
            time);
  }

  @Test
  void isFilledInTheBackgroundUpToItsTarget() {
    pool.refill();
    assertThat(pool.take()).as("before the background has run").isNull();
    time.settle();
    assertThat(pool.size()).isEqualTo(3);
    assertThat(pool.take().jvm().id()).isEqualTo(host.jvms().get(0).id());
    pool.refill();
    time.settle();
    assertThat(pool.size()).isEqualTo(3);
    assertThat(attempts).isEqualTo(4);
  }

  @Test
  void pausesLongerWithEachFailureAndGivesUpUntilItIsAskedAgain() {
    zygote.failForks(new NotStartedException("fork-failed", "EAGAIN"));
    pool.refill();
    time.settle();
    assertThat(attempts).isEqualTo(1);
    pool.refill();
    time.settle();
    assertThat(attempts).as("no attempt while it pauses").isEqualTo(1);
    time.advance(Duration.ofMillis(99));
    assertThat(attempts).isEqualTo(1);
    time.advance(Duration.ofMillis(1));
    assertThat(attempts).isEqualTo(2);
    time.advance(Duration.ofMillis(199));
    assertThat(attempts).isEqualTo(2);
    for (int i = 0; i < 60; i++) {
      time.advance(Duration.ofSeconds(10));
    }
    assertThat(attempts).isEqualTo(8);
    zygote.failForks(null);
    pool.refill();
    time.settle();
    assertThat(pool.size()).isEqualTo(3);
  }

  @Test
  void replacesAWaitingCloneThatEndsAfterAPause() {
    List<ServingJvm> made = new ArrayList<>();
    ForkAheadPool watched =
        new ForkAheadPool(
            "f",
            1,
            () -> {
              made.add(new ServingJvm(zygote.forkAhead(), Start.POOL, ServingJvm.State.WAITING, 0));
              return made.get(made.size() - 1);
            },
            time);
    watched.refill();
    time.settle();
    ((FakeJvm) made.get(0).jvm()).end(new ExitStatus.Signalled(9));
    assertThat(watched.ended(made.get(0))).isTrue();
    time.settle();
    assertThat(watched.size()).as("a clone that dies at once must not be made in a loop").isZero();
    time.advance(Duration.ofMillis(100));
    assertThat(watched.size()).isEqualTo(1);
  }

  @Test
  void oneThatWasTakenIsNotThePoolsAnyMore() {
    pool.refill();
    time.settle();
    assertThat(pool.ended(pool.take())).isFalse();
    assertThat(pool.size()).isEqualTo(2);
  }

  @Test
  void aNewSourceEndsThePause() {
    zygote.failForks(new NotStartedException("zygote-lost", "gone"));
    pool.refill();
    time.settle();
    zygote.failForks(null);
    pool.restart();
    time.settle();
    assertThat(pool.size()).isEqualTo(3);
  }

  @Test
  void closesWhatWaitsAndStaysEmpty() {
    pool.refill();
    time.settle();
    pool.close();
    assertThat(host.jvms()).noneMatch(FakeJvm::alive);
    pool.refill();
    time.settle();
    assertThat(pool.size()).isZero();
  }
}
