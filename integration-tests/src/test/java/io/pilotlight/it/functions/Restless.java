package io.pilotlight.it.functions;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongUnaryOperator;

/**
 * A function whose JVM is never at rest: it allocates, compiles, locks, runs timers and loads
 * classes from its start on. A call checks that all of that still works in the process that it runs
 * in.
 */
public final class Restless implements Function<String, String> {
  private final AtomicBoolean running = new AtomicBoolean(true);
  private final AtomicLong allocated = new AtomicLong();
  private final AtomicLong ticks = new AtomicLong();
  private final ReentrantLock lock = new ReentrantLock();
  private final Object monitor = new Object();
  private final List<Thread> threads = new ArrayList<>();
  private final ExecutorService pool = Executors.newFixedThreadPool(2);
  private final ScheduledExecutorService timers = Executors.newScheduledThreadPool(1);
  private long guarded;

  /** Starts the load. */
  public Restless() {
    // With a hook a process is asked to end, and not killed.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> running.set(false)));
    start("allocates", this::allocate);
    start("compiles", this::compile);
    start("locks-1", this::contend);
    start("locks-2", this::contend);
    start("loads", this::loadClasses);
    timers.scheduleAtFixedRate(ticks::incrementAndGet, 1, 1, TimeUnit.MILLISECONDS);
  }

  private void start(String name, Runnable work) {
    Thread thread =
        new Thread(
            () -> {
              while (running.get()) {
                work.run();
              }
            },
            name);
    thread.start();
    threads.add(thread);
  }

  private void allocate() {
    Map<Integer, byte[]> kept = new HashMap<>();
    for (int i = 0; i < 200; i++) {
      kept.put(i % 32, new byte[ThreadLocalRandom.current().nextInt(64, 65_536)]);
    }
    allocated.addAndGet(kept.size());
  }

  private void compile() {
    LongUnaryOperator fresh = freshCode();
    long value = 1;
    for (int i = 0; i < 20_000; i++) {
      value = fresh.applyAsLong(value);
    }
    allocated.addAndGet(value & 1);
  }

  /**
   * A lambda of a class that is defined anew each time, so that its code has never been compiled.
   */
  private static LongUnaryOperator freshCode() {
    try {
      Class<?> defined = FreshLoader.define();
      MethodHandle step =
          MethodHandles.publicLookup()
              .findStatic(defined, "step", MethodType.methodType(long.class, long.class));
      return value -> {
        try {
          return (long) step.invokeExact(value);
        } catch (Throwable e) {
          throw new IllegalStateException(e);
        }
      };
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private void contend() {
    lock.lock();
    try {
      guarded++;
    } finally {
      lock.unlock();
    }
    synchronized (monitor) {
      guarded++;
      monitor.notifyAll();
    }
  }

  private void loadClasses() {
    if (FreshLoader.define().getName().isEmpty()) {
      throw new IllegalStateException();
    }
  }

  /** Input: how many milliseconds to compute; after that, or with {@code check}, all is tried. */
  @Override
  public String apply(String input) {
    if (!input.equals("check")) {
      long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(Long.parseLong(input));
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      return "spun";
    }
    try {
      check();
      return "ok " + guarded;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void check() throws Exception {
    System.gc();
    compile();
    loadClasses();
    expect(pool.submit(() -> 41 + 1).get(20, TimeUnit.SECONDS), 42);
    expect(ForkJoinPool.commonPool().submit(() -> 43).get(20, TimeUnit.SECONDS), 43);
    expect(timers.schedule(() -> 44, 1, TimeUnit.MILLISECONDS).get(20, TimeUnit.SECONDS), 44);
    Thread thread = new Thread(() -> ticks.incrementAndGet());
    thread.start();
    thread.join(20_000);
    if (thread.isAlive()) {
      throw new IllegalStateException("a new thread did not end");
    }
    virtualThread();
    long before = ticks.get();
    awaitProgress(before);
  }

  private void awaitProgress(long before) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (ticks.get() == before) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("the timer does not tick any more");
      }
      synchronized (monitor) {
        monitor.wait(5);
      }
    }
  }

  /** Only where the JDK has them. */
  private static void virtualThread() throws Exception {
    try {
      ExecutorService executor =
          (ExecutorService)
              Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
      Callable<Integer> task = () -> 45;
      Future<Integer> result = executor.submit(task);
      expect(result.get(20, TimeUnit.SECONDS), 45);
      executor.shutdown();
    } catch (NoSuchMethodException e) {
      expect(Runtime.version().feature() < 21 ? 1 : 0, 1);
    }
  }

  private static void expect(int actual, int expected) {
    if (actual != expected) {
      throw new IllegalStateException(actual + " is not " + expected);
    }
  }

  /** Defines a small class under a loader of its own, again and again. */
  public static final class FreshLoader extends ClassLoader {
    private static final byte[] CODE = code();

    private FreshLoader() {
      super(FreshLoader.class.getClassLoader());
    }

    static Class<?> define() {
      return new FreshLoader().defineClass(Fresh.class.getName(), CODE, 0, CODE.length);
    }

    private static byte[] code() {
      String resource = "/" + Fresh.class.getName().replace('.', '/') + ".class";
      try (InputStream in = Restless.class.getResourceAsStream(resource);
          ByteArrayOutputStream out = new ByteArrayOutputStream()) {
        in.transferTo(out);
        return out.toByteArray();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** What is defined again and again. */
  public static final class Fresh {
    private Fresh() {}

    /** Some arithmetic, for the compiler. */
    public static long step(long value) {
      long result = value;
      for (int i = 0; i < 8; i++) {
        result = result * 6364136223846793005L + 1442695040888963407L;
        result ^= result >>> 29;
      }
      return result;
    }
  }
}
