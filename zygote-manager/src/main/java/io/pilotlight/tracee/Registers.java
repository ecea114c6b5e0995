package io.pilotlight.tracee;

import io.pilotlight.linux.Ptrace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The general registers of a stopped thread: struct user_regs_struct of x86-64. Not thread-safe.
 */
public final class Registers {
  /** Registers by their place in the structure. */
  public enum Name {
    /** Callee-saved. */
    R15,
    /** Callee-saved. */
    R14,
    /** Callee-saved. */
    R13,
    /** Callee-saved. */
    R12,
    /** Callee-saved. */
    RBP,
    /** Callee-saved. */
    RBX,
    /** Clobbered by a system call. */
    R11,
    /** Fourth argument of a system call. */
    R10,
    /** Sixth argument. */
    R9,
    /** Fifth argument. */
    R8,
    /** Number and result of a system call. */
    RAX,
    /** Clobbered by a system call. */
    RCX,
    /** Third argument. */
    RDX,
    /** Second argument. */
    RSI,
    /** First argument. */
    RDI,
    /** The system call that the thread is in, or -1. */
    ORIG_RAX,
    /** Instruction pointer. */
    RIP,
    /** Code segment. */
    CS,
    /** Flags. */
    EFLAGS,
    /** Stack pointer. */
    RSP,
    /** Stack segment. */
    SS,
    /** Thread-local storage. */
    FS_BASE
  }

  private static final int ERESTARTSYS = -512;
  private static final int ERESTARTNOINTR = -513;
  private static final int ERESTARTNOHAND = -514;
  private static final int ERESTART_RESTARTBLOCK = -516;
  private static final int EINTR = -4;
  private static final int SYSCALL_INSTRUCTION_BYTES = 2;

  private final ByteBuffer bytes =
      ByteBuffer.allocateDirect(Ptrace.REGISTERS_BYTES).order(ByteOrder.nativeOrder());

  /** The structure itself. */
  ByteBuffer bytes() {
    return bytes;
  }

  /** A copy that changes on its own. */
  public Registers copy() {
    Registers copy = new Registers();
    copy.bytes.put(0, bytes, 0, Ptrace.REGISTERS_BYTES);
    return copy;
  }

  /** Reads one. */
  public long get(Name name) {
    return bytes.getLong(offset(name));
  }

  /** Changes one here; the thread's own changes when it is written back. */
  public Registers set(Name name, long value) {
    bytes.putLong(offset(name), value);
    return this;
  }

  @SuppressWarnings("EnumOrdinal") // the enum lists the structure's fields in their order
  private static int offset(Name name) {
    return name.ordinal() * Long.BYTES;
  }

  /** Whether the thread was stopped in a system call that waits, rather than while it computed. */
  public boolean waiting() {
    if (get(Name.ORIG_RAX) < 0) {
      return false;
    }
    return switch ((int) get(Name.RAX)) {
      case ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK -> true;
      default -> false;
    };
  }

  /**
   * Makes these registers fit to be loaded into another thread: a system call that was interrupted
   * is entered again, as the kernel itself would, or, where the kernel would need state of the old
   * thread for that, returns EINTR. See arch_do_signal_or_restart in the kernel's
   * arch/x86/kernel/signal.c.
   */
  public Registers restartInterruptedCall() {
    if (get(Name.ORIG_RAX) >= 0) {
      switch ((int) get(Name.RAX)) {
        case ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND -> enterCallAgain();
        case ERESTART_RESTARTBLOCK -> set(Name.RAX, EINTR);
        default -> {}
      }
    }
    return set(Name.ORIG_RAX, -1);
  }

  /** Has the system call in which the thread was found entered again. */
  Registers enterCallAgain() {
    set(Name.RAX, get(Name.ORIG_RAX));
    set(Name.RIP, get(Name.RIP) - SYSCALL_INSTRUCTION_BYTES);
    return set(Name.ORIG_RAX, -1);
  }
}
