package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.ManualTime;
import io.pilotlight.daemon.function.ImageReviewer.Reason;
import io.pilotlight.daemon.pool.ServingJvm;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.zygote.BuildProgress;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ImageReviewerTest {
  private static final int IMAGE_BYTES = 1 << 20;

  @TempDir Path directory;
  private final FakeHost host = new FakeHost();
  private final ManualTime time = new ManualTime();
  private final FunctionRegistry registry = new FunctionRegistry();
  private final List<Reason> removed = new ArrayList<>();
  private final List<String> withNothing = new ArrayList<>();
  private ImageStore store;

  @BeforeEach
  void open() throws Exception {
    store = new ImageStore(directory);
    store.open();
  }

  private ImageReviewer reviewer(long budgetBytes) {
    return new ImageReviewer(
        registry,
        store,
        budgetBytes,
        time,
        removed::add,
        function -> withNothing.add(function.name()));
  }

  /** With a file on the disk, and a zygote in memory. */
  private Deployment deploy(String name, int images) throws Exception {
    Deployment deployment =
        new Deployment(
            Definitions.of(name, 1, Definitions.withImage(ZygoteMode.AUTO)),
            new Deployment.Policy(4, 1),
            time,
            time);
    registry.findOrAdd(name).serve(deployment);
    deployment.install(
        host.build(deployment.spec(), Warmup.NONE, Duration.ofSeconds(60), BuildProgress.NONE));
    Path image = Files.createDirectory(store.of("z-" + name));
    byte[] content = new byte[images * IMAGE_BYTES];
    java.util.Arrays.fill(content, (byte) 1);
    Files.write(image.resolve("pages"), content);
    host.writeImage(deployment.zygote(), image);
    ImageSummary summary =
        new ImageSummary(
            image,
            "z-" + name,
            "2026-01-01T00:00:00Z",
            deployment.spec(),
            content.length,
            store.storedBytes(image),
            time.epochMillis());
    deployment.install(new Deployment.Image(summary, host.restore(image, true)));
    return deployment;
  }

  private void use(Deployment deployment) throws Exception {
    deployment.register(deployment.image().blank().fork(), Start.RESTORE, ServingJvm.State.BUSY);
  }

  private static void endZygote(Deployment deployment) {
    Zygote zygote = deployment.zygote();
    assertThat(
            deployment.endZygote(
                zygote, new ZygoteTenure.End(ZygoteTenure.Reason.UNUSED, "not used", 0)))
        .isTrue();
  }

  @Test
  void removesWhatWasNotUsedForLongest() throws Exception {
    Deployment first = deploy("first", 1);
    Deployment second = deploy("second", 1);
    Deployment third = deploy("third", 1);
    Zygote blank = second.image().blank();
    time.advance(Duration.ofMinutes(5));
    use(first);
    use(third);
    time.advance(Duration.ofMinutes(1));
    reviewer(3 * IMAGE_BYTES).review();
    assertThat(removed).as("they fit").isEmpty();
    reviewer(2 * IMAGE_BYTES).review();
    assertThat(removed).containsExactly(Reason.BUDGET);
    assertThat(second.image()).isNull();
    assertThat(second.imageFailure().reason()).isEqualTo(ImageException.Reason.BUDGET);
    assertThat(second.imageFailure()).hasMessageContainingAll("3 MiB", "2 MiB", "imageBudgetMib");
    assertThat(store.images()).containsExactly(store.of("z-first"), store.of("z-third"));
    assertThat(blank.state()).isEqualTo(Zygote.State.LOST);
    assertThat(second.endedOnPurpose(blank))
        .as("a restore that comes too late is none's fault")
        .isTrue();
    assertThat(second.cloneable()).as("it is served on").isSameAs(second.zygote());
    assertThat(first.image()).isNotNull();
    assertThat(third.image()).isNotNull();
    assertThat(withNothing).isEmpty();
  }

  @Test
  void aLargeOneGoesBeforeASmallOne() throws Exception {
    Deployment small = deploy("small", 1);
    Deployment large = deploy("large", 3);
    time.advance(Duration.ofMinutes(1));
    reviewer(3 * IMAGE_BYTES).review();
    assertThat(large.image()).isNull();
    assertThat(small.image()).isNotNull();
  }

  @Test
  void theOnlyThingThatAFunctionHasGoesLast() throws Exception {
    Deployment alone = deploy("alone", 2);
    endZygote(alone);
    time.advance(Duration.ofHours(1));
    Deployment both = deploy("both", 1);
    use(both);
    reviewer(2 * IMAGE_BYTES).review();
    assertThat(both.image()).as("used more, and smaller, but not needed").isNull();
    assertThat(alone.image()).isNotNull();
    assertThat(removed).containsExactly(Reason.BUDGET);
    reviewer(IMAGE_BYTES).review();
    assertThat(alone.image()).as("nothing else is left").isNull();
    assertThat(removed).containsExactly(Reason.BUDGET, Reason.BUDGET_ONLY_START);
    assertThat(withNothing).containsExactly("alone");
    assertThat(store.images()).isEmpty();
  }

  @Test
  void whatIsInNoUseYetTakesNobodysOnlyStart() throws Exception {
    Deployment alone = deploy("alone", 1);
    endZygote(alone);
    Path written = Files.createDirectory(store.of("z-written"));
    byte[] content = new byte[IMAGE_BYTES];
    java.util.Arrays.fill(content, (byte) 1);
    Files.write(written.resolve("pages"), content);
    reviewer(IMAGE_BYTES * 3 / 2).review();
    assertThat(alone.image()).isNotNull();
    assertThat(removed).isEmpty();
  }

  @Test
  void aBudgetOfNothingIsNone() throws Exception {
    Deployment deployment = deploy("f", 1);
    reviewer(0).review();
    assertThat(deployment.image()).isNotNull();
  }

  @Test
  void useIsNotedOnTheDiskForLaterDaemons() throws Exception {
    Deployment deployment = deploy("f", 1);
    ImageReviewer reviewer = reviewer(0);
    time.advance(Duration.ofHours(2));
    use(deployment);
    long used = time.epochMillis();
    time.advance(Duration.ofSeconds(5));
    reviewer.review();
    assertThat(Files.getLastModifiedTime(store.of("z-f")).toMillis()).isEqualTo(used);
    use(deployment);
    reviewer.review();
    assertThat(Files.getLastModifiedTime(store.of("z-f")).toMillis())
        .as("not with every call")
        .isEqualTo(used);
  }
}
