package io.pilotlight.it.support;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for what happens by itself: looks again and again until it is there, or time is up. */
public final class Eventually {
  /** Enough for everything that takes seconds on an idle machine. */
  public static final Duration LONG = Duration.ofSeconds(90);

  private static final long PAUSE_NANOS = Duration.ofMillis(20).toNanos();

  private Eventually() {}

  /** Waits until {@code condition} holds. */
  public static void holds(String what, Callable<Boolean> condition) throws Exception {
    holds(what, LONG, condition);
  }

  /** Waits until {@code condition} holds, for {@code limit} at most. */
  public static void holds(String what, Duration limit, Callable<Boolean> condition)
      throws Exception {
    get(what, limit, () -> condition.call() ? Boolean.TRUE : null);
  }

  /** Waits for something that is not null. */
  public static <T> T get(String what, Callable<T> source) throws Exception {
    return get(what, LONG, source);
  }

  /** Waits for something that is not null, for {@code limit} at most. */
  public static <T> T get(String what, Duration limit, Callable<T> source) throws Exception {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      T value = source.call();
      if (value != null) {
        return value;
      }
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + limit.toSeconds() + " s: " + what);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
