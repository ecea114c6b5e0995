package io.pilotlight.daemon.time;

import java.time.Duration;

/** Runs what must not delay a request. Thread-safe; nothing runs any more after it was closed. */
public interface Background {
  /** Runs {@code task} soon, on a thread of its own if need be. */
  void run(Runnable task);

  /** Runs {@code task} once, after {@code delay}. */
  void after(Duration delay, Runnable task);

  /** Runs {@code task} again and again, with {@code interval} between the end and the start. */
  void every(Duration interval, Runnable task);
}
