package io.pilotlight.it.functions;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * A function whose threads wait for deadlines of the monotonic clock while it is frozen. A call
 * waits until each has woken again.
 */
public final class Timing implements Function<String, String> {
  private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(1);
  private final Object monitor = new Object();
  private volatile long lastTick = System.nanoTime();
  private volatile long lastPark = System.nanoTime();
  private volatile long lastWait = System.nanoTime();

  /** Starts them. */
  @SuppressWarnings("WaitNotInLoop") // woken is woken, whatever for
  public Timing() {
    scheduler.scheduleWithFixedDelay(
        () -> lastTick = System.nanoTime(), PERIOD_NANOS, PERIOD_NANOS, TimeUnit.NANOSECONDS);
    start(
        () -> {
          LockSupport.parkNanos(PERIOD_NANOS);
          lastPark = System.nanoTime();
        });
    start(
        () -> {
          synchronized (monitor) {
            try {
              monitor.wait(TimeUnit.NANOSECONDS.toMillis(PERIOD_NANOS));
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
          lastWait = System.nanoTime();
        });
  }

  private static void start(Runnable round) {
    Thread thread =
        new Thread(
            () -> {
              while (true) {
                round.run();
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  /** Says "in time" and what the monotonic clock is in seconds. */
  @Override
  public String apply(String input) {
    long start = System.nanoTime();
    long newest = Math.max(lastTick, Math.max(lastPark, lastWait));
    if (start < newest) {
      return "the clock went back by " + (newest - start) + " ns";
    }
    while (Math.min(lastTick, Math.min(lastPark, lastWait)) <= start) {
      if (System.nanoTime() - start > LATE_NANOS) {
        return String.join(
            " ",
            "late by so many ns:",
            Long.toString(start - lastTick),
            Long.toString(start - lastPark),
            Long.toString(start - lastWait));
      }
      Thread.onSpinWait();
    }
    return "in time " + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime());
  }
}
