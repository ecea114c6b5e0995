package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.cgroup.MachineMemory.Place;
import io.pilotlight.cgroup.MachineMemory.Reading;
import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.ManualTime;
import io.pilotlight.daemon.function.ZygoteTenure.Reason;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.zygote.BuildProgress;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

final class ZygoteReviewerTest {
  /** As {@link Definitions} has it. */
  private static final Duration IDLE = Duration.ofSeconds(60);

  /** Of a zygote of {@link FakeHost}. */
  private static final long RESIDENT_BYTES = 100_000_000;

  private static final Reading PLENTY =
      new Reading(OptionalDouble.of(0), List.of(new Place("the machine", 50, 100)));
  private static final Reading STALLED =
      new Reading(OptionalDouble.of(12), List.of(new Place("the machine", 50, 100)));

  private final FakeHost host = new FakeHost();
  private final ManualTime time = new ManualTime();
  private final FunctionRegistry registry = new FunctionRegistry();
  private final List<Reason> ended = new ArrayList<>();
  private Reading memory = PLENTY;

  private ZygoteReviewer reviewer(long budgetBytes) {
    return new ZygoteReviewer(registry, () -> memory, budgetBytes, time, ended::add);
  }

  private Deployment deploy(String name, ZygoteMode mode) throws Exception {
    Deployment deployment =
        new Deployment(
            Definitions.of(name, 1, Definitions.withImage(mode)),
            new Deployment.Policy(4, 1),
            time,
            time);
    registry.findOrAdd(name).serve(deployment);
    deployment.install(host.build(deployment.spec(), Warmup.NONE, IDLE, BuildProgress.NONE));
    return deployment;
  }

  private Deployment withImage(String name, ZygoteMode mode) throws Exception {
    Deployment deployment = deploy(name, mode);
    restore(deployment);
    return deployment;
  }

  private Zygote restore(Deployment deployment) throws Exception {
    Path directory = Path.of("/images", deployment.definition().name());
    ImageSummary image = host.writeImage(deployment.zygote(), directory);
    Zygote blank = host.restore(directory, true);
    deployment.install(new Deployment.Image(image, blank));
    return blank;
  }

  private static void measure(Deployment deployment, long forkNanos, long restoreNanos) {
    for (int i = 0; i < ForkComparison.NEEDED; i++) {
      deployment.tenure().measured(Start.FORK, forkNanos);
      deployment.tenure().measured(Start.RESTORE, restoreNanos);
    }
  }

  @Test
  void endsOneWhoseForksDoNotPay() throws Exception {
    Deployment slow = withImage("slow", ZygoteMode.AUTO);
    Deployment quick = withImage("quick", ZygoteMode.AUTO);
    Zygote zygote = slow.zygote();
    measure(slow, 4_500_000, 5_000_000);
    measure(quick, 3_000_000, 5_000_000);
    reviewer(0).review();
    assertThat(ended).containsExactly(Reason.DOES_NOT_PAY);
    assertThat(slow.zygote()).isNull();
    assertThat(zygote.state()).isEqualTo(Zygote.State.LOST);
    assertThat(slow.zygoteLost()).as("it is not missed").isFalse();
    assertThat(slow.cloneable()).isSameAs(slow.image().blank());
    assertThat(slow.tenure().end().message()).contains("4.50 ms", "5.00 ms", "20 %");
    assertThat(quick.zygote()).isNotNull();
  }

  @Test
  void endsOneThatIsNotUsedOnlyWhenItsImageIsThere() throws Exception {
    Deployment deployment = deploy("f", ZygoteMode.AUTO);
    time.advance(IDLE);
    reviewer(0).review();
    assertThat(deployment.zygote()).isNotNull();
    restore(deployment);
    reviewer(0).review();
    assertThat(deployment.zygote()).as("the image has just come").isNotNull();
    time.advance(IDLE.minusSeconds(1));
    deployment.tenure().forked();
    time.advance(IDLE.minusSeconds(1));
    reviewer(0).review();
    assertThat(ended).isEmpty();
    time.advance(Duration.ofSeconds(1));
    reviewer(0).review();
    assertThat(ended).containsExactly(Reason.UNUSED);
    assertThat(deployment.zygote()).isNull();
  }

  @Test
  void leavesOneThatCallersAskForByName() throws Exception {
    Deployment deployment = withImage("f", ZygoteMode.AUTO);
    measure(deployment, 5_000_000, 5_000_000);
    deployment.tenure().forkAskedFor();
    time.advance(IDLE.minusSeconds(1));
    reviewer(0).review();
    assertThat(ended).isEmpty();
    time.advance(Duration.ofSeconds(1));
    reviewer(0).review();
    assertThat(ended).containsExactly(Reason.DOES_NOT_PAY);
  }

  @Test
  void doesWhatTheOwnerSays() throws Exception {
    Deployment kept = withImage("kept", ZygoteMode.MEMORY);
    Deployment onDisk = withImage("on-disk", ZygoteMode.IMAGE);
    Deployment bare = deploy("no-image-yet", ZygoteMode.IMAGE);
    measure(kept, 9_000_000, 1_000_000);
    time.advance(IDLE.multipliedBy(2));
    memory = STALLED;
    reviewer(1).review();
    assertThat(ended).containsExactly(Reason.IMAGE_MODE);
    assertThat(kept.zygote()).isNotNull();
    assertThat(onDisk.zygote()).isNull();
    assertThat(bare.zygote()).as("nothing else could serve").isNotNull();
  }

  @Test
  void keepsTheBudgetByEndingTheLeastValuable() throws Exception {
    Deployment often = withImage("often", ZygoteMode.AUTO);
    Deployment seldom = withImage("seldom", ZygoteMode.AUTO);
    Deployment never = withImage("never", ZygoteMode.AUTO);
    cloned(often, 10);
    cloned(seldom, 1);
    reviewer(2 * RESIDENT_BYTES).review();
    assertThat(ended).containsExactly(Reason.BUDGET);
    assertThat(never.zygote()).isNull();
    // What is long ago counts less than what happens now.
    time.advance(ZygoteTenure.HALF_LIFE.multipliedBy(5));
    List.of(often, seldom).forEach(d -> d.tenure().forkAskedFor());
    cloned(seldom, 1);
    reviewer(RESIDENT_BYTES).review();
    assertThat(ended).containsExactly(Reason.BUDGET, Reason.BUDGET);
    assertThat(often.zygote()).isNull();
    assertThat(seldom.zygote()).isNotNull();
  }

  private static void cloned(Deployment deployment, int times) {
    for (int i = 0; i < times; i++) {
      deployment.tenure().cloned();
    }
  }

  @Test
  void endsOneAtATimeWhileMemoryIsShort() throws Exception {
    withImage("a", ZygoteMode.AUTO);
    withImage("b", ZygoteMode.AUTO);
    ZygoteReviewer reviewer = reviewer(0);
    memory = STALLED;
    reviewer.review();
    assertThat(ended).containsExactly(Reason.MEMORY_PRESSURE);
    reviewer.review();
    assertThat(ended).as("what that gave back does not show yet").hasSize(1);
    time.advance(ZygoteReviewer.PRESSURE_PAUSE);
    memory = PLENTY;
    reviewer.review();
    assertThat(ended).hasSize(1);
    memory =
        new Reading(
            OptionalDouble.empty(), List.of(new Place("control group /a", 4 << 20, 100 << 20)));
    reviewer.review();
    assertThat(ended).hasSize(2);
    assertThat(registry.find("b").current().tenure().end().message())
        .contains("control group /a has 4 MiB of 100 MiB left");
  }

  @Test
  void goesOnWhenMemoryCannotBeRead() throws Exception {
    withImage("a", ZygoteMode.IMAGE);
    ZygoteReviewer reviewer =
        new ZygoteReviewer(
            registry,
            () -> {
              throw new IOException("no /proc");
            },
            0,
            time,
            ended::add);
    reviewer.review();
    reviewer.review();
    assertThat(ended).containsExactly(Reason.IMAGE_MODE);
  }
}
