package io.pilotlight.daemon.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Processes that have served and wait for the next invocation. The one that served last is taken
 * first: its pages are in the caches, and those at the bottom grow old and are let go. Thread-safe
 * and without locks.
 */
public final class WarmStack {
  private final ConcurrentLinkedDeque<ServingJvm> stack = new ConcurrentLinkedDeque<>();
  private final AtomicInteger size = new AtomicInteger();
  private final int capacity;

  /** Keeps at most {@code capacity} processes. */
  public WarmStack(int capacity) {
    this.capacity = capacity;
  }

  /** The one that served last, or null if none waits. */
  public @Nullable ServingJvm take() {
    ServingJvm jvm = stack.pollFirst();
    if (jvm != null) {
      size.decrementAndGet();
    }
    return jvm;
  }

  /** Keeps {@code jvm}; false if there is no room, and the caller must stop it. */
  public boolean keep(ServingJvm jvm, long nowNanos) {
    if (size.incrementAndGet() > capacity) {
      size.decrementAndGet();
      return false;
    }
    jvm.idle(nowNanos);
    stack.addFirst(jvm);
    return true;
  }

  /** Removes {@code jvm} if it is here. */
  public boolean remove(ServingJvm jvm) {
    boolean removed = stack.removeLastOccurrence(jvm);
    if (removed) {
      size.decrementAndGet();
    }
    return removed;
  }

  /** Takes out those that became idle before {@code nowNanos - idleNanos}. */
  public List<ServingJvm> takeExpired(long nowNanos, long idleNanos) {
    List<ServingJvm> expired = new ArrayList<>();
    for (ServingJvm oldest = stack.peekLast();
        oldest != null && nowNanos - oldest.idleSinceNanos() >= idleNanos;
        oldest = stack.peekLast()) {
      if (remove(oldest)) {
        expired.add(oldest);
      }
    }
    return expired;
  }

  /** How many wait. */
  public int size() {
    return size.get();
  }
}
