package io.pilotlight.engine;

import io.pilotlight.engine.Operation.Structure;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The kernel's struct clone_args; see clone3(2): for a thread with an id of the caller's choice,
 * and for a process that is born in a control group.
 */
final class CloneArguments {
  /** Up to {@code set_tid_size}: since Linux 5.5. */
  static final int BYTES = 80;

  /** Up to {@code cgroup}: since Linux 5.7. */
  static final int PROCESS_BYTES = 88;

  /** Where the descriptor of the group belongs, for CLONE_INTO_CGROUP. */
  static final int CGROUP = 80;

  private static final long CLONE_INTO_CGROUP = 0x200000000L;
  private static final long EXIT_SIGNAL = 0xff;

  private static final int PIDFD = 8;
  private static final int CHILD_TID = 16;
  private static final int TLS = 56;
  private static final int SET_TID = 64;
  private static final int SET_TID_SIZE = 72;

  private CloneArguments() {}

  /**
   * Of a thread that goes on at the maker's stack pointer, which it must not use.
   *
   * @param childThreadId where the kernel writes its id
   * @param threadPointer its thread-local storage
   * @param threadId its id in the innermost PID namespace; needs CAP_CHECKPOINT_RESTORE over that
   */
  static Structure of(long flags, long childThreadId, long threadPointer, int threadId) {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
    bytes.putLong(0, flags).putLong(CHILD_TID, childThreadId).putLong(TLS, threadPointer);
    bytes.putLong(SET_TID_SIZE, 1);
    ByteBuffer id = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder());
    return new Structure(bytes.array(), SET_TID, id.putInt(0, threadId).array());
  }

  /**
   * Of a clone that is born in the group whose descriptor will be at {@link #CGROUP}. A sibling of
   * its maker gets that one's signal at its end, and clone3 takes no other.
   */
  static void writeProcess(ByteBuffer out, int at, CloneCall call) {
    out.putLong(at, (call.flags() & ~EXIT_SIGNAL) | CLONE_INTO_CGROUP);
    out.putLong(at + PIDFD, call.pidfd()).putLong(at + CHILD_TID, call.leaderThreadId());
  }
}
