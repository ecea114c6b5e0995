package io.pilotlight.daemon.http;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts the work that has been accepted, so that the daemon can end when it is done. Thread-safe
 * and without locks.
 */
public final class InFlight {
  /** Whether work may begin. */
  public enum Admission {
    /** It may, and {@link #leave} ends it. */
    ADMITTED,
    /** There is too much already. */
    FULL,
    /** The daemon is stopping. */
    DRAINING
  }

  private final int limit;
  private final AtomicInteger count = new AtomicInteger();
  private final CompletableFuture<Void> idle = new CompletableFuture<>();
  private volatile boolean draining;

  /** Admits up to {@code limit} pieces of work at once. */
  public InFlight(int limit) {
    this.limit = limit;
  }

  /** Begins a piece of work, if that is possible. */
  public Admission enter() {
    // Counted before the look at `draining`: drain() sets that before it looks at the count.
    int now = count.incrementAndGet();
    if (draining || now > limit) {
      leave();
      return draining ? Admission.DRAINING : Admission.FULL;
    }
    return Admission.ADMITTED;
  }

  /** Ends a piece of work. */
  public void leave() {
    if (count.decrementAndGet() == 0 && draining) {
      idle.complete(null);
    }
  }

  /** Whether the daemon is stopping. */
  public boolean draining() {
    return draining;
  }

  /** How much is under way. */
  public int count() {
    return count.get();
  }

  /** Admits nothing from now on. */
  public void drain() {
    draining = true;
    if (count.get() == 0) {
      idle.complete(null);
    }
  }

  /**
   * Waits for the end of what was admitted, after {@link #drain}.
   *
   * @return whether it has ended within {@code timeout}
   */
  public boolean awaitIdle(Duration timeout) throws InterruptedException {
    try {
      idle.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException("never completed exceptionally", e);
    }
  }
}
