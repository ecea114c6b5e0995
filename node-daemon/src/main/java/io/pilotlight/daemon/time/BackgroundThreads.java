package io.pilotlight.daemon.time;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Background work on threads: one that keeps time, and as many as needed to work, so that a task
 * that blocks (a fork of a zygote that does not answer) delays no other function's tasks.
 */
public final class BackgroundThreads implements Background, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BackgroundThreads.class);

  private final ScheduledExecutorService timer;
  private final ExecutorService workers;

  /** Starts no thread before the first task. */
  public BackgroundThreads() {
    timer = Executors.newSingleThreadScheduledExecutor(named("timer"));
    workers = Executors.newCachedThreadPool(named("background"));
  }

  /** Daemon threads with a readable name. */
  public static ThreadFactory named(String name) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "pilotlight-" + name + "-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  @Override
  public void run(Runnable task) {
    try {
      workers.execute(logged(task));
    } catch (RejectedExecutionException e) {
      log.debug("background task dropped: the daemon is stopping");
    }
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // the task logs its own failure
  public void after(Duration delay, Runnable task) {
    try {
      timer.schedule(() -> run(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("delayed task dropped: the daemon is stopping");
    }
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // the task logs its own failure
  public void every(Duration interval, Runnable task) {
    timer.scheduleWithFixedDelay(
        logged(task), interval.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
  }

  private static Runnable logged(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        log.error("background task failed", e);
      }
    };
  }

  /** Drops what waits and interrupts what runs. */
  @Override
  public void close() {
    timer.shutdownNow();
    workers.shutdownNow();
  }
}
