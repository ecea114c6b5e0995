package io.pilotlight.zygote;

import java.time.Duration;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Lets work begin until it is closed, and then knows when all that has begun has ended: what such
 * work makes would otherwise be made behind the back of whoever clears up. Thread-safe.
 */
final class Admission {
  /** One party for this, one for each piece of work. */
  private final Phaser parties = new Phaser(1);

  private volatile boolean closed;

  /**
   * Begins a piece of work, which {@link #end} follows.
   *
   * @throws ClosedException if none may begin any more
   */
  void begin() throws ClosedException {
    int phase = parties.register();
    if (closed) {
      if (phase >= 0) {
        parties.arriveAndDeregister();
      }
      throw new ClosedException();
    }
  }

  /** Ends a piece of work. */
  void end() {
    parties.arriveAndDeregister();
  }

  /** No more work begins. Once. */
  void close() {
    closed = true;
    parties.arriveAndDeregister();
  }

  /**
   * Waits, after {@link #close}, for the end of what has begun.
   *
   * @return whether all of it has ended
   */
  boolean awaitEnd(Duration timeout) throws InterruptedException {
    try {
      parties.awaitAdvanceInterruptibly(0, timeout.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  /** The host is being closed. */
  static final class ClosedException extends Exception {
    private static final long serialVersionUID = 1L;

    ClosedException() {
      super("The daemon is stopping.");
    }
  }
}
