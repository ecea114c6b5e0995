package io.pilotlight.daemon.pool;

import io.pilotlight.daemon.time.Background;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Clones forked ahead, that wait with a single thread each. Taking one never waits; the pool is
 * filled in the background, with growing pauses while forks fail or clones die as they wait, and is
 * left empty after {@value #MAX_FAILURES} failures in a row, until the next invocation asks again.
 * Thread-safe and without locks.
 */
public final class ForkAheadPool {
  private static final Logger log = LoggerFactory.getLogger(ForkAheadPool.class);
  private static final int MAX_FAILURES = 8;
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

  /** Makes the clones of a pool. */
  @FunctionalInterface
  public interface Source {
    /** A new waiting clone; null if there is nothing to fork at the moment. */
    @Nullable ServingJvm fork() throws NotStartedException;
  }

  private final String function;
  private final int target;
  private final Source source;
  private final Background background;
  private final ConcurrentLinkedQueue<ServingJvm> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicInteger size = new AtomicInteger();
  private final AtomicBoolean filling = new AtomicBoolean();
  private final AtomicInteger failures = new AtomicInteger();
  private volatile boolean pausing;
  private volatile boolean closed;

  /**
   * Empty at first.
   *
   * @param function the function's name, for the log
   * @param target how many clones are to wait
   * @param source makes them
   * @param background fills it
   */
  public ForkAheadPool(String function, int target, Source source, Background background) {
    this.function = function;
    this.target = target;
    this.source = source;
    this.background = background;
  }

  /** The one that waits longest, or null if none waits. */
  public @Nullable ServingJvm take() {
    ServingJvm jvm = waiting.poll();
    if (jvm != null) {
      size.decrementAndGet();
    }
    return jvm;
  }

  /** Fills it in the background, after an invocation. */
  public void refill() {
    if (!pausing) {
      startFilling();
    }
  }

  /** There is a new source: fills it in the background, whatever failed before. */
  public void restart() {
    failures.set(0);
    pausing = false;
    startFilling();
  }

  /** A clone of this pool has served: what failed before is over. */
  public void served() {
    if (failures.get() != 0) {
      failures.set(0);
    }
  }

  /** A waiting clone ended by itself; whether it was here. */
  public boolean ended(ServingJvm jvm) {
    if (!waiting.remove(jvm)) {
      return false;
    }
    size.decrementAndGet();
    failed("clone-died", "a waiting clone ended: " + jvm.jvm().id());
    return true;
  }

  private void startFilling() {
    if (!closed && size.get() < target && filling.compareAndSet(false, true)) {
      background.run(this::fill);
    }
  }

  private void fill() {
    boolean again = false;
    try {
      while (!closed && size.get() < target) {
        ServingJvm jvm = source.fork();
        if (jvm == null) {
          return;
        }
        size.incrementAndGet();
        waiting.add(jvm);
        if (closed) {
          closeAll();
        } else if (!jvm.jvm().alive()) {
          ended(jvm); // its end may have been reported before it was in the queue
          return;
        }
      }
      again = true;
    } catch (NotStartedException e) {
      failed(e.reason(), String.valueOf(e.getMessage()));
    } finally {
      filling.set(false);
      if (again) {
        startFilling(); // one may have been taken between the last look and the end
      }
    }
  }

  private void failed(String reason, String message) {
    if (closed) {
      return;
    }
    int count = failures.incrementAndGet();
    boolean retry = count < MAX_FAILURES;
    int doublings = Math.min(count, MAX_FAILURES) - 1;
    log.atWarn()
        .addKeyValue("function", function)
        .addKeyValue("reason", reason)
        .addKeyValue("failures", count)
        .addKeyValue("retry", retry)
        .addKeyValue("message", message)
        .log("pool not filled");
    pausing = true;
    background.after(FIRST_PAUSE.multipliedBy(1L << doublings), () -> resume(retry));
  }

  private void resume(boolean retry) {
    pausing = false;
    if (retry) {
      startFilling();
    }
  }

  /** How many wait. */
  public int size() {
    return size.get();
  }

  /** Kills those that wait; the pool stays empty. */
  public void close() {
    closed = true;
    closeAll();
  }

  private void closeAll() {
    for (ServingJvm jvm = take(); jvm != null; jvm = take()) {
      jvm.jvm().close();
    }
  }
}
