package io.pilotlight.zygote;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Calls that a JVM makes before it is frozen, so that its code is loaded, initialised and compiled.
 *
 * @param payloads events, used in turn; empty for no warm-up
 * @param count how many calls in all
 * @param budget warm-up ends when this has passed, however many calls were made
 * @param callTimeout how long one call may take
 * @param secrets what clones get that are called with the payloads once it is frozen; the JVM
 *     itself never has them
 */
public record Warmup(
    List<byte[]> payloads,
    int count,
    Duration budget,
    Duration callTimeout,
    Map<String, String> secrets) {
  /** No warm-up: the function is initialised and frozen. */
  public static final Warmup NONE = new Warmup(List.of(), 0, Duration.ZERO, Duration.ZERO);

  /** Of a function without secrets. */
  public Warmup(List<byte[]> payloads, int count, Duration budget, Duration callTimeout) {
    this(payloads, count, budget, callTimeout, Map.of());
  }

  /** Copies the collections. */
  public Warmup {
    payloads = List.copyOf(payloads);
    secrets = Map.copyOf(secrets);
    if (count < 0) {
      throw new IllegalArgumentException("warm-up count " + count + " is negative");
    }
  }
}
