package io.pilotlight.agent.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SecureRandomsTest {
  private final SecureRandoms registry = new SecureRandoms();

  @Test
  void allThatAreHeldAreKnown() {
    List<SecureRandom> held = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      SecureRandom random = new SecureRandom();
      held.add(random);
      registry.accept(random);
    }
    List<SecureRandom> reachable = registry.reachable();
    assertThat(reachable).hasSize(held.size());
    for (int i = 0; i < held.size(); i++) {
      assertThat(reachable.get(i)).isSameAs(held.get(i));
    }
  }
}
