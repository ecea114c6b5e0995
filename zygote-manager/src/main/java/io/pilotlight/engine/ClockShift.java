package io.pilotlight.engine;

import io.pilotlight.linux.ProcFs;

/**
 * By how much the clocks of one process are ahead of those of another, in nanoseconds.
 *
 * @param monotonicNanos CLOCK_MONOTONIC
 * @param bootNanos CLOCK_BOOTTIME
 */
public record ClockShift(long monotonicNanos, long bootNanos) {
  /** The clocks are the same. */
  public static final ClockShift NONE = new ClockShift(0, 0);

  private static final long SECOND_NANOS = 1_000_000_000L;

  /** To what CLOCK_BOOTTIME is known: both times were rounded down. */
  private static final long BOOT_CLOCK_NANOS = 10_000_000;

  /**
   * What the clocks of a process here have to be ahead, so that they go on, and not back, in what
   * was frozen.
   *
   * @param here CLOCK_MONOTONIC and CLOCK_BOOTTIME of this process, the latter rounded down as in
   *     {@link ProcFs#bootNanos}
   */
  public static ClockShift forward(Residence frozen, ClockShift here) {
    long boot = frozen.frozenBootNanos() - here.bootNanos();
    return new ClockShift(
        Math.max(0, frozen.frozenNanos() - here.monotonicNanos()),
        boot > 0 ? boot + BOOT_CLOCK_NANOS : 0);
  }

  /** Whether the clocks are the same. */
  public boolean isNone() {
    return equals(NONE);
  }

  ClockShift plus(ClockShift other) {
    return new ClockShift(monotonicNanos + other.monotonicNanos, bootNanos + other.bootNanos);
  }

  ClockShift minus(ClockShift other) {
    return new ClockShift(monotonicNanos - other.monotonicNanos, bootNanos - other.bootNanos);
  }

  /** As /proc/PID/timens_offsets has it. */
  String offsets() {
    return "monotonic " + timespec(monotonicNanos) + "\nboottime " + timespec(bootNanos) + "\n";
  }

  private static String timespec(long nanos) {
    return Math.floorDiv(nanos, SECOND_NANOS) + " " + Math.floorMod(nanos, SECOND_NANOS);
  }

  @Override
  public String toString() {
    return Math.max(monotonicNanos, bootNanos) / SECOND_NANOS + " s";
  }
}
