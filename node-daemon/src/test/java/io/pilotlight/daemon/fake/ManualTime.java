package io.pilotlight.daemon.fake;

import io.pilotlight.daemon.time.Background;
import io.pilotlight.daemon.time.NodeClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Time that passes when a test says so. Background tasks run when {@link #settle} or {@link
 * #advance} is called, on the caller's thread.
 */
public final class ManualTime implements NodeClock, Background {
  private final AtomicLong nanos = new AtomicLong(1_000_000_000L);
  private final List<Task> tasks = new ArrayList<>();

  private record Task(long dueNanos, Runnable action) {}

  @Override
  public long nanoTime() {
    return nanos.get();
  }

  @Override
  public long epochMillis() {
    return 1_700_000_000_000L + nanos.get() / 1_000_000;
  }

  @Override
  public void run(Runnable task) {
    after(Duration.ZERO, task);
  }

  @Override
  public synchronized void after(Duration delay, Runnable task) {
    tasks.add(new Task(nanos.get() + delay.toNanos(), task));
  }

  @Override
  public void every(Duration interval, Runnable task) {
    after(
        interval,
        () -> {
          task.run();
          every(interval, task);
        });
  }

  /** Runs what is due now, and what that makes due. */
  public void settle() {
    for (Task next = takeDue(); next != null; next = takeDue()) {
      next.action().run();
    }
  }

  private synchronized Task takeDue() {
    for (Task task : tasks) {
      if (task.dueNanos() <= nanos.get()) {
        tasks.remove(task);
        return task;
      }
    }
    return null;
  }

  /** Lets time pass, and runs what became due. */
  public void advance(Duration duration) {
    settle();
    nanos.addAndGet(duration.toNanos());
    settle();
  }

  /** How many tasks wait for their time. */
  public synchronized int pending() {
    return tasks.size();
  }
}
