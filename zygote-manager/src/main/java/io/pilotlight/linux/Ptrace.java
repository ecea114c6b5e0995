package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.GET_ROBUST_LIST;
import static io.pilotlight.linux.Syscall.PTRACE;
import static io.pilotlight.linux.Syscall.WAIT4;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Ptrace(2), as far as it is used. Every request for a thread must come from the OS thread that
 * seized it: an instance belongs to the platform thread that made it, and is not thread-safe.
 */
public final class Ptrace {
  /** Size of struct user_regs_struct. */
  public static final int REGISTERS_BYTES = 27 * 8;

  private static final long CONT = 7;
  private static final long SINGLESTEP = 9;
  private static final long DETACH = 17;
  private static final long SETOPTIONS = 0x4200;
  private static final long GETEVENTMSG = 0x4201;
  private static final long GETREGSET = 0x4204;
  private static final long SETREGSET = 0x4205;
  private static final long SEIZE = 0x4206;
  private static final long INTERRUPT = 0x4207;
  private static final long GETSIGMASK = 0x420a;
  private static final long SETSIGMASK = 0x420b;
  private static final long GET_RSEQ_CONFIGURATION = 0x420f;
  private static final long NT_PRSTATUS = 1;
  private static final long NT_X86_XSTATE = 0x202;
  private static final long WALL = 0x40000000;
  private static final int SIGSTOP_MASK = 0xff;

  /** PTRACE_O_TRACEFORK and PTRACE_O_TRACECLONE: what a thread makes is seized with it. */
  private static final long TRACE_CHILDREN = 2 | 8;

  private final ByteBuffer iovec = direct(16);
  private final ByteBuffer words = direct(64);

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  private static void check(long result, String request, int tid) throws KernelException {
    Kernel.check(result, "ptrace", request + ", thread " + tid);
  }

  /** Attaches without stopping. */
  public void seize(int tid) throws KernelException {
    seize(tid, 0);
  }

  /** Attaches without stopping, with options: see PTRACE_SETOPTIONS. */
  public void seize(int tid, long options) throws KernelException {
    check(Kernel.call(PTRACE, SEIZE, tid, 0, options), "PTRACE_SEIZE", tid);
  }

  /** Asks a seized thread to stop. */
  public void interrupt(int tid) throws KernelException {
    check(Kernel.call(PTRACE, INTERRUPT, tid, 0, 0), "PTRACE_INTERRUPT", tid);
  }

  /** Has every process and thread that a seized thread makes from now on seized too. */
  public void traceChildren(int tid) throws KernelException {
    check(Kernel.call(PTRACE, SETOPTIONS, tid, 0, TRACE_CHILDREN), "PTRACE_SETOPTIONS", tid);
  }

  /** What the event is about that a thread stopped for: the id of a new process, as seen here. */
  public int eventMessage(int tid) throws KernelException {
    check(
        Kernel.call(PTRACE, GETEVENTMSG, tid, 0, Kernel.address(words)), "PTRACE_GETEVENTMSG", tid);
    return (int) words.getLong(0);
  }

  /** What a stopped thread stopped for. */
  public record Stop(boolean ended, int signal, int event) {}

  /** Waits until the thread stops or ends. */
  public Stop await(int tid) throws KernelException {
    long result = Kernel.call(WAIT4, tid, Kernel.address(words), WALL, 0);
    Reference.reachabilityFence(words);
    Kernel.check(result, "wait4", "thread " + tid);
    int status = words.getInt(0);
    boolean stopped = (status & SIGSTOP_MASK) == 0x7f;
    return new Stop(!stopped, status >> 8 & 0xff, status >> 16);
  }

  /** Reads the general registers into a direct buffer of {@link #REGISTERS_BYTES}. */
  public void readRegisters(int tid, ByteBuffer into) throws KernelException {
    regset(GETREGSET, tid, NT_PRSTATUS, into, REGISTERS_BYTES);
  }

  /** Writes the general registers. */
  public void writeRegisters(int tid, ByteBuffer from) throws KernelException {
    regset(SETREGSET, tid, NT_PRSTATUS, from, REGISTERS_BYTES);
  }

  /** Reads the extended state (x87, SSE, AVX, ...) in its standard format; returns its size. */
  public int readExtendedState(int tid, ByteBuffer into) throws KernelException {
    return regset(GETREGSET, tid, NT_X86_XSTATE, into, into.capacity());
  }

  private int regset(long request, int tid, long type, ByteBuffer data, int bytes)
      throws KernelException {
    iovec.putLong(0, Kernel.address(data)).putLong(8, bytes);
    long result = Kernel.call(PTRACE, request, tid, type, Kernel.address(iovec));
    Reference.reachabilityFence(data);
    check(result, request == GETREGSET ? "PTRACE_GETREGSET" : "PTRACE_SETREGSET", tid);
    return (int) iovec.getLong(8);
  }

  /** The thread's blocked signals, bit n-1 for signal n. */
  public long signalMask(int tid) throws KernelException {
    check(Kernel.call(PTRACE, GETSIGMASK, tid, 8, Kernel.address(words)), "PTRACE_GETSIGMASK", tid);
    return words.getLong(0);
  }

  /** Replaces the thread's blocked signals. */
  public void signalMask(int tid, long mask) throws KernelException {
    words.putLong(0, mask);
    check(Kernel.call(PTRACE, SETSIGMASK, tid, 8, Kernel.address(words)), "PTRACE_SETSIGMASK", tid);
  }

  /** A thread's restartable-sequences area; address 0 if it has none. See rseq(2). */
  public record Rseq(long address, int bytes, int signature) {}

  /** Since Linux 5.13. */
  public Rseq rseq(int tid) throws KernelException {
    check(
        Kernel.call(PTRACE, GET_RSEQ_CONFIGURATION, tid, 24, Kernel.address(words)),
        "PTRACE_GET_RSEQ_CONFIGURATION",
        tid);
    return new Rseq(words.getLong(0), words.getInt(8), words.getInt(12));
  }

  /** A thread's list of robust futexes. See get_robust_list(2). */
  public record RobustList(long head, long bytes) {}

  /** Reads it; needs no ptrace stop. */
  public RobustList robustList(int tid) throws KernelException {
    long address = Kernel.address(words);
    Kernel.check(
        Kernel.call(GET_ROBUST_LIST, tid, address, address + 8),
        "get_robust_list",
        "thread " + tid);
    return new RobustList(words.getLong(0), words.getLong(8));
  }

  /** Runs one instruction, a whole system call if that is what it is. */
  public void singleStep(int tid) throws KernelException {
    check(Kernel.call(PTRACE, SINGLESTEP, tid, 0, 0), "PTRACE_SINGLESTEP", tid);
  }

  /** Lets the thread run on, delivering {@code signal} unless it is 0. */
  public void resume(int tid, int signal) throws KernelException {
    check(Kernel.call(PTRACE, CONT, tid, 0, signal), "PTRACE_CONT", tid);
  }

  /** Lets the thread go, delivering {@code signal} unless it is 0. */
  public void detach(int tid, int signal) throws KernelException {
    check(Kernel.call(PTRACE, DETACH, tid, 0, signal), "PTRACE_DETACH", tid);
  }
}
