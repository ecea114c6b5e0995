package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import org.jspecify.annotations.Nullable;

/** The seed of {@code ThreadLocalRandom}, which each thread that has used it keeps. */
final class ThreadSeeds implements Renewer {
  /** The number of threads can grow between two looks. */
  private static final int SPARE = 8;

  private final ThreadGroup root;
  private final Field seed;
  private final Field probe;

  /**
   * In java/lang/Thread.java: {@code threadLocalRandomSeed}, and {@code threadLocalRandomProbe},
   * which is 0 until the seed is set.
   */
  ThreadSeeds(JdkState jdk) throws ReflectiveOperationException {
    seed = jdk.field(Thread.class, "threadLocalRandomSeed");
    probe = jdk.field(Thread.class, "threadLocalRandomProbe");
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    for (ThreadGroup parent = group; parent != null; parent = parent.getParent()) {
      group = parent;
    }
    root = group;
  }

  @Override
  public String subject() {
    return "ThreadLocalRandom";
  }

  @Override
  public void renew(Entropy entropy) throws Exception {
    @Nullable Thread[] threads = new Thread[root.activeCount() + SPARE];
    int count = root.enumerate(threads);
    while (count == threads.length) {
      threads = new Thread[2 * count];
      count = root.enumerate(threads);
    }
    for (int i = 0; i < count; i++) {
      Thread thread = threads[i];
      if (thread != null && probe.getInt(thread) != 0) {
        seed.setLong(thread, entropy.nextLong());
      }
    }
  }
}
