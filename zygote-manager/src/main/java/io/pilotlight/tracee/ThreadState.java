package io.pilotlight.tracee;

import io.pilotlight.linux.Ptrace;
import java.nio.ByteBuffer;

/**
 * All that makes a stopped thread that thread.
 *
 * @param tid its id
 * @param ownTid its id as it knows it: in its own PID namespace
 * @param name its name (comm)
 * @param registers its general registers
 * @param extendedState x87, SSE, AVX, ... in the standard format of XSAVE
 * @param signalMask its blocked signals
 * @param rseq its restartable-sequences area
 * @param robustList its robust futexes
 * @param nice its nice value
 * @param timerSlackNanos its timer slack, or -1 where it cannot be read
 * @param affinity the processors it may run on
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record ThreadState(
    int tid,
    int ownTid,
    String name,
    Registers registers,
    ByteBuffer extendedState,
    long signalMask,
    Ptrace.Rseq rseq,
    Ptrace.RobustList robustList,
    int nice,
    long timerSlackNanos,
    byte[] affinity) {

  /** Its thread-local storage: with glibc also the address of its thread control block. */
  public long threadPointer() {
    return registers.get(Registers.Name.FS_BASE);
  }

  /** The same thread with other registers. */
  public ThreadState with(Registers changed) {
    return new ThreadState(
        tid,
        ownTid,
        name,
        changed,
        extendedState,
        signalMask,
        rseq,
        robustList,
        nice,
        timerSlackNanos,
        affinity);
  }

  /** Whether it is blocked in {@code read(descriptor, ...)}. */
  public boolean readsFrom(int descriptor) {
    return registers.waiting()
        && registers.get(Registers.Name.ORIG_RAX) == 0
        && registers.get(Registers.Name.RDI) == descriptor;
  }
}
