package io.pilotlight.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PlatformTest {
  @Test
  void newerIsCompared() {
    assertThat(new Platform("amd64", "6.1.0-13-amd64", "2.36").obstacles()).isEmpty();
    assertThat(new Platform("amd64", "5.14.0", "2.100").obstacles()).isEmpty();
  }

  @Test
  void eachObstacleIsNamedWithItsValue() {
    assertThat(new Platform("aarch64", "5.10.0-8", "2.31").obstacles())
        .hasSize(3)
        .anySatisfy(s -> assertThat(s).contains("aarch64"))
        .anySatisfy(s -> assertThat(s).contains("5.10.0-8", "5.14"))
        .anySatisfy(s -> assertThat(s).contains("2.31", "2.35"));
    assertThat(new Platform("amd64", "6.1", "").obstacles())
        .singleElement()
        .asString()
        .contains("glibc");
  }

  @Test
  void thisMachineIsDescribed() {
    assertThat(Platform.current().glibc()).matches("2\\.\\d+");
  }
}
