package io.pilotlight.tracee;

import io.pilotlight.tracee.Registers.Name;
import java.nio.ByteBuffer;

/**
 * Writes a thread as the frame that rt_sigreturn(2) loads: struct rt_sigframe of the kernel's
 * arch/x86/include/asm/sigframe.h. One system call then restores registers, floating point state,
 * signal stack and mask.
 */
public final class SignalFrame {
  /** The frame itself, up to its signal mask, rounded up to where the extended state may start. */
  public static final int FRAME_BYTES = 320;

  /**
   * Where rsp must point for rt_sigreturn: past the return address, which a handler's return would
   * have popped.
   */
  public static final int STACK_POINTER_OFFSET = 8;

  /** UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS. */
  private static final long UC_FLAGS = 1 | 2 | 4;

  private static final int MAGIC1 = 0x46505853;
  private static final int MAGIC2 = 0x46505845;
  private static final int SOFTWARE_BYTES_OFFSET = 464;
  private static final int XSTATE_BV_OFFSET = 512;
  private static final int STACK_OFFSET = 24;
  private static final int REGISTERS_OFFSET = 48;
  private static final int SEGMENTS_OFFSET = REGISTERS_OFFSET + 18 * 8;
  private static final int FPSTATE_OFFSET = SEGMENTS_OFFSET + 8 + 4 * 8;
  private static final int MASK_OFFSET = FPSTATE_OFFSET + 8 + 8 * 8;

  private static final Name[] SIGCONTEXT_ORDER = {
    Name.R8, Name.R9, Name.R10, Name.R11, Name.R12, Name.R13, Name.R14, Name.R15, Name.RDI,
    Name.RSI, Name.RBP, Name.RBX, Name.RDX, Name.RAX, Name.RCX, Name.RSP, Name.RIP, Name.EFLAGS
  };

  private SignalFrame() {}

  /**
   * How many bytes frame and extended state take, rounded up so that frames can follow each other.
   */
  public static int bytes(ExtendedState format) {
    return (FRAME_BYTES + format.bytes() + Integer.BYTES + 63) / 64 * 64;
  }

  /**
   * Writes the frame.
   *
   * @param thread the thread, with its registers as they were read
   * @param stack its alternate signal stack
   * @param format how much of its extended state a signal frame may hold
   * @param into receives it at {@code offset}, a multiple of 64
   * @param address where that offset will be in the process; a multiple of 64
   */
  public static void write(
      ThreadState thread,
      SignalStack stack,
      ExtendedState format,
      ByteBuffer into,
      int offset,
      long address) {
    Registers registers = thread.registers().copy().restartInterruptedCall();
    into.putLong(offset + 8, UC_FLAGS);
    into.putLong(offset + STACK_OFFSET, stack.address());
    into.putInt(offset + STACK_OFFSET + 8, stack.flags());
    into.putLong(offset + STACK_OFFSET + 16, stack.bytes());
    for (int i = 0; i < SIGCONTEXT_ORDER.length; i++) {
      into.putLong(offset + REGISTERS_OFFSET + 8 * i, registers.get(SIGCONTEXT_ORDER[i]));
    }
    into.putShort(offset + SEGMENTS_OFFSET, (short) registers.get(Name.CS));
    into.putShort(offset + SEGMENTS_OFFSET + 6, (short) registers.get(Name.SS));
    into.putLong(offset + FPSTATE_OFFSET, address + FRAME_BYTES);
    into.putLong(offset + MASK_OFFSET, thread.signalMask());

    int state = offset + FRAME_BYTES;
    into.put(state, thread.extendedState(), 0, format.bytes());
    into.putLong(
        state + XSTATE_BV_OFFSET, into.getLong(state + XSTATE_BV_OFFSET) & format.features());
    into.putInt(state + SOFTWARE_BYTES_OFFSET, MAGIC1);
    into.putInt(state + SOFTWARE_BYTES_OFFSET + 4, format.bytes() + Integer.BYTES);
    into.putLong(state + SOFTWARE_BYTES_OFFSET + 8, format.features());
    into.putInt(state + SOFTWARE_BYTES_OFFSET + 16, format.bytes());
    into.putInt(state + format.bytes(), MAGIC2);
  }

  /** A thread's alternate signal stack; see sigaltstack(2). */
  public record SignalStack(long address, int flags, long bytes) {
    private static final int SS_DISABLE = 2;

    /** None. */
    public static final SignalStack NONE = new SignalStack(0, SS_DISABLE, 0);
  }
}
