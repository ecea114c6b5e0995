package io.pilotlight.zygote;

import io.pilotlight.engine.ClockShift;
import io.pilotlight.linux.ProcFs;
import java.io.IOException;
import java.util.function.LongSupplier;

/**
 * Reads the clocks of this process that images must not see go backwards. Thread-safe.
 *
 * @param nanoTime CLOCK_MONOTONIC
 */
record ClockReader(LongSupplier nanoTime) {
  /** Both of them, as shifts from nothing. */
  ClockShift now() throws IOException {
    return new ClockShift(nanoTime.getAsLong(), ProcFs.bootNanos());
  }
}
