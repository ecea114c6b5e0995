package io.pilotlight.agent.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.InputStream;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EntropyTest {

  @Test
  void nothingIsGivenTwice() throws Exception {
    Set<Long> seen = new HashSet<>();
    try (Entropy entropy = Entropy.ofKernel()) {
      for (int i = 0; i < 10_000; i++) {
        assertThat(seen.add(entropy.nextLong())).isTrue();
      }
    }
  }

  /** The source counts, so that what came from a later read can be told from what came first. */
  @Test
  void whatWasReadBeforeTheForkIsNotUsedAfterIt() throws Exception {
    InputStream reads =
        new InputStream() {
          private byte number;

          @Override
          public int read() {
            throw new UnsupportedOperationException();
          }

          @Override
          public int read(byte[] target, int offset, int length) {
            java.util.Arrays.fill(target, offset, offset + length, ++number);
            return length;
          }
        };
    try (Entropy entropy = new Entropy(reads)) {
      assertThat(entropy.nextLong()).isEqualTo(0x0101010101010101L);
      assertThat(entropy.nextLong()).isEqualTo(0x0101010101010101L);
      entropy.discard();
      assertThat(entropy.nextLong()).isEqualTo(0x0202020202020202L);
    }
  }

  @Test
  void anEndIsAnError() throws Exception {
    try (Entropy entropy = new Entropy(new ByteArrayInputStream(new byte[3]))) {
      assertThatThrownBy(entropy::nextLong).isInstanceOf(EOFException.class);
    }
  }
}
