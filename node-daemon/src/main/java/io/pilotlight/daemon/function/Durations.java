package io.pilotlight.daemon.function;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** The last durations of calls of one kind. Thread-safe; nothing waits. */
final class Durations {
  /** So many count. */
  static final int WINDOW = 64;

  private final AtomicLongArray nanos = new AtomicLongArray(WINDOW);
  private final AtomicLong added = new AtomicLong();

  void add(long duration) {
    nanos.set((int) (added.getAndIncrement() % WINDOW), duration);
  }

  int count() {
    return (int) Math.min(added.get(), WINDOW);
  }

  /** Empty if there are none. */
  OptionalLong median() {
    int count = count();
    if (count == 0) {
      return OptionalLong.empty();
    }
    long[] sorted = new long[count];
    Arrays.setAll(sorted, nanos::get);
    Arrays.sort(sorted);
    return OptionalLong.of(sorted[count / 2]);
  }
}
