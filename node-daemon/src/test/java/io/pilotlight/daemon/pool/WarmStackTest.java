package io.pilotlight.daemon.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.FakeJvm;
import io.pilotlight.zygote.Warmup;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class WarmStackTest {
  private final FakeHost host = new FakeHost();
  private final WarmStack stack = new WarmStack(2);

  private ServingJvm jvm() throws Exception {
    FakeJvm jvm =
        (FakeJvm)
            host.build(Definitions.SPEC, Warmup.NONE, Duration.ZERO, (stage, done, total) -> {})
                .fork();
    return new ServingJvm(jvm, Start.FORK, ServingJvm.State.BUSY, 0);
  }

  @Test
  void takesTheOneThatServedLast() throws Exception {
    ServingJvm first = jvm();
    ServingJvm second = jvm();
    assertThat(stack.keep(first, 1)).isTrue();
    assertThat(stack.keep(second, 2)).isTrue();
    assertThat(stack.take()).isSameAs(second);
    assertThat(stack.take()).isSameAs(first);
    assertThat(stack.take()).isNull();
    assertThat(stack.size()).isZero();
  }

  @Test
  void keepsNoMoreThanItsCapacity() throws Exception {
    stack.keep(jvm(), 1);
    stack.keep(jvm(), 2);
    assertThat(stack.keep(jvm(), 3)).isFalse();
    assertThat(stack.size()).isEqualTo(2);
  }

  @Test
  void expiresFromTheBottomOnly() throws Exception {
    ServingJvm old = jvm();
    ServingJvm young = jvm();
    stack.keep(old, 100);
    stack.keep(young, 150);
    assertThat(stack.takeExpired(199, 100)).isEmpty();
    assertThat(stack.takeExpired(200, 100)).containsExactly(old);
    assertThat(stack.take()).isSameAs(young);
  }

  @Test
  void forgetsOneThatEnded() throws Exception {
    ServingJvm jvm = jvm();
    stack.keep(jvm, 1);
    assertThat(stack.remove(jvm)).isTrue();
    assertThat(stack.remove(jvm)).isFalse();
    assertThat(stack.size()).isZero();
  }
}
