package io.pilotlight.tracee;

import java.nio.ByteBuffer;

/**
 * Which extended processor state a signal frame may hold, and how large it is there.
 *
 * <p>A process has, unless it asks for more, no permission for features that the kernel enables
 * dynamically (AMX tile data, bit 18). The register set that ptrace reads has room for them; a
 * frame with that room is larger than the kernel accepts, and it then drops everything beyond SSE
 * without a word. So the size is computed from the permitted features.
 *
 * @param features the permitted features, as bits of XCR0
 * @param bytes size of the area in the standard format of XSAVE
 */
public record ExtendedState(long features, int bytes) {
  /** AMX tile data. */
  private static final long DYNAMIC_FEATURES = 1L << 18;

  private static final int LEGACY_AND_HEADER_BYTES = 576;
  private static final int XCR0_OFFSET = 464;
  private static final int XSTATE_BV_OFFSET = 512;
  private static final int FIRST_EXTENDED_FEATURE = 2;

  /**
   * Asks the processor where a feature's state lies: CPUID leaf 0xD, subleaf = the feature's bit.
   */
  @FunctionalInterface
  public interface Cpuid {
    /** EAX and EBX of that subleaf: size and offset in bytes. */
    SizeAndOffset feature(int bit) throws java.io.IOException;
  }

  /** Where a feature's state lies in the standard format. */
  public record SizeAndOffset(int bytes, int offset) {}

  /**
   * Derives it from the state of a thread.
   *
   * @param state as ptrace reads it
   * @param cpuid asked only if the processor has dynamically enabled features
   * @throws IllegalStateException if the thread uses a feature that a default frame cannot hold
   */
  public static ExtendedState of(ByteBuffer state, Cpuid cpuid) throws java.io.IOException {
    long present = state.getLong(XCR0_OFFSET);
    if ((present & DYNAMIC_FEATURES) == 0) {
      return new ExtendedState(present, state.limit());
    }
    if ((state.getLong(XSTATE_BV_OFFSET) & DYNAMIC_FEATURES) != 0) {
      throw new IllegalStateException(
          "a thread of the JVM uses AMX tile registers, which a clone cannot be given; run the function without the"
              + " library that uses them");
    }
    long features = present & ~DYNAMIC_FEATURES;
    int bytes = LEGACY_AND_HEADER_BYTES;
    for (int bit = FIRST_EXTENDED_FEATURE; bit < Long.SIZE - 1; bit++) {
      if ((features >> bit & 1) != 0) {
        SizeAndOffset feature = cpuid.feature(bit);
        bytes = Math.max(bytes, feature.offset() + feature.bytes());
      }
    }
    return new ExtendedState(features, bytes);
  }
}
