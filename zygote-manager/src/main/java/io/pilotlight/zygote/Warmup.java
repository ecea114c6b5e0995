package io.pilotlight.zygote;

import java.time.Duration;
import java.util.List;

/**
 * Calls that a JVM makes before it is frozen, so that its code is loaded, initialised and compiled.
 *
 * @param payloads events, used in turn; empty for no warm-up
 * @param count how many calls in all
 * @param budget warm-up ends when this has passed, however many calls were made
 * @param callTimeout how long one call may take
 */
public record Warmup(List<byte[]> payloads, int count, Duration budget, Duration callTimeout) {
  /** No warm-up: the function is initialised and frozen. */
  public static final Warmup NONE = new Warmup(List.of(), 0, Duration.ZERO, Duration.ZERO);

  /** Copies the list. */
  public Warmup {
    payloads = List.copyOf(payloads);
    if (count < 0) {
      throw new IllegalArgumentException("warm-up count " + count + " is negative");
    }
  }
}
