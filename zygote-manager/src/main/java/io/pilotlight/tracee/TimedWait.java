package io.pilotlight.tracee;

import static io.pilotlight.linux.Syscall.FUTEX;
import static io.pilotlight.linux.Syscall.RESTART_SYSCALL;

import io.pilotlight.linux.ProcessMemory;
import io.pilotlight.tracee.Registers.Name;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;

/**
 * A wait for a futex with a deadline by the monotonic clock, as a thread was found in it; see
 * futex(2). A clone is made any time after its zygote was frozen, and all deadlines have passed
 * then: every thread with a timer would act at once. Waiting for what was left at the freeze
 * instead needs no system call in the clone: {@code FUTEX_WAIT_BITSET} takes a deadline, {@code
 * FUTEX_WAIT} a duration.
 */
public final class TimedWait {
  private static final int FUTEX_WAIT = 0;
  private static final int FUTEX_WAIT_BITSET = 9;
  private static final int FUTEX_PRIVATE = 128;
  private static final int MATCH_ANY = -1;
  private static final int TIMESPEC_BYTES = 16;
  private static final long SECOND_NANOS = 1_000_000_000L;

  private TimedWait() {}

  /**
   * How long the thread would have waited on, at least 0; empty if it is in no such wait.
   *
   * @param now of the monotonic clock, in nanoseconds
   */
  public static OptionalLong remainingNanos(ThreadState thread, ProcessMemory memory, long now)
      throws IOException {
    Registers registers = thread.registers();
    long call = registers.get(Name.ORIG_RAX);
    // A wait that was interrupted before is gone on with by restart_syscall(2), its arguments in
    // place.
    boolean futex = registers.waiting() && (call == FUTEX || call == RESTART_SYSCALL);
    boolean deadline = registers.get(Name.RSI) == (FUTEX_WAIT_BITSET | FUTEX_PRIVATE);
    long timespec = registers.get(Name.R10);
    if (!futex || !deadline || timespec == 0 || (int) registers.get(Name.R9) != MATCH_ANY) {
      return OptionalLong.empty();
    }
    ByteBuffer value = memory.read(timespec, TIMESPEC_BYTES);
    long deadlineNanos = value.getLong(0) * SECOND_NANOS + value.getLong(Long.BYTES);
    return OptionalLong.of(Math.max(0, deadlineNanos - now));
  }

  /**
   * The registers with which the thread waits for a duration instead.
   *
   * @param timespec address of the duration
   */
  public static Registers waitingFor(Registers registers, long timespec) {
    return registers
        .copy()
        .set(Name.ORIG_RAX, FUTEX)
        .set(Name.RSI, FUTEX_WAIT | FUTEX_PRIVATE)
        .set(Name.R10, timespec)
        .enterCallAgain();
  }

  /** A duration, in 16 bytes, as the kernel reads it. */
  public static void writeTimespec(ByteBuffer into, int offset, long nanos) {
    into.putLong(offset, nanos / SECOND_NANOS).putLong(offset + Long.BYTES, nanos % SECOND_NANOS);
  }
}
