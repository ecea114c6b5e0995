package io.pilotlight.tracee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.tracee.ExtendedState.SizeAndOffset;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** With the layout of a processor that has AVX-512 and AMX, as its CPUID leaf 0xD gives it. */
final class ExtendedStateTest {
  private static final long AVX = 0b111;
  private static final long AVX512 = 0b1110_0111;
  private static final long PKRU = 1 << 9;
  private static final long AMX = 3L << 17;
  private static final Map<Integer, SizeAndOffset> LAYOUT =
      Map.of(
          2, new SizeAndOffset(256, 576),
          5, new SizeAndOffset(64, 1088),
          6, new SizeAndOffset(512, 1152),
          7, new SizeAndOffset(1024, 1664),
          9, new SizeAndOffset(8, 2688),
          17, new SizeAndOffset(64, 2752),
          18, new SizeAndOffset(8192, 2816));

  private static ByteBuffer state(long present, long inUse, int bytes) {
    ByteBuffer state = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    return state.putLong(464, present).putLong(512, inUse);
  }

  @Test
  void withoutDynamicFeaturesTheWholeRegisterSetFits() throws IOException {
    ExtendedState format =
        ExtendedState.of(
            state(AVX, AVX, 832),
            bit -> {
              throw new AssertionError("the processor need not be asked");
            });
    assertThat(format).isEqualTo(new ExtendedState(AVX, 832));
  }

  @Test
  void tileDataIsLeftOut() throws IOException {
    long present = AVX512 | PKRU | AMX;
    ExtendedState format = ExtendedState.of(state(present, AVX512, 11_008), bit -> LAYOUT.get(bit));
    assertThat(format.features()).isEqualTo(AVX512 | PKRU | 1 << 17);
    assertThat(format.bytes()).as("up to the tile configuration").isEqualTo(2752 + 64);
  }

  @Test
  void threadThatUsesTilesIsRefused() {
    ByteBuffer state = state(AVX512 | AMX, AVX512 | AMX, 11_008);
    assertThatThrownBy(() -> ExtendedState.of(state, bit -> LAYOUT.get(bit)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("AMX");
  }
}
