package io.pilotlight.engine;

import io.pilotlight.linux.ProcessMemory;
import io.pilotlight.tracee.ThreadState;
import io.pilotlight.tracee.TimedWait;
import java.io.IOException;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The threads of HotSpot and of the JDK that wake by a timer: safepoint and periodic tasks, monitor
 * deflation, idle compilers, cleaners. In a clone they go on waiting for what was left at the
 * freeze; else all of them were due at once, while the first call runs. Threads of the function are
 * not among them: a deadline of theirs may mean a time of day to somebody, and holds.
 */
final class Housekeeping {
  /** None is due before a clone has served its first call; far below what any of them waits. */
  private static final long LEAST_NANOS = 50_000_000;

  /** As the kernel has them, cut to 15 bytes. */
  private static final Set<String> NAMES =
      Set.of(
          "VM Thread",
          "VM Periodic Tas",
          "Monitor Deflati",
          "Sweeper thread",
          "Service Thread",
          "C1 CompilerThre",
          "C2 CompilerThre",
          "Common-Cleaner");

  private Housekeeping() {}

  /** How long the thread is to wait in a clone; empty for one that is left as it is. */
  static OptionalLong waitNanos(ThreadState thread, ProcessMemory memory, long now)
      throws IOException {
    if (!isHousekeeping(thread.name())) {
      return OptionalLong.empty();
    }
    OptionalLong left = TimedWait.remainingNanos(thread, memory, now);
    return left.isPresent()
        ? OptionalLong.of(Math.max(LEAST_NANOS, left.getAsLong()))
        : OptionalLong.empty();
  }

  private static boolean isHousekeeping(String name) {
    return NAMES.contains(name)
        || name.startsWith("GC Thread#")
        || name.startsWith("G1 ")
        || name.startsWith("Shenandoah");
  }
}
