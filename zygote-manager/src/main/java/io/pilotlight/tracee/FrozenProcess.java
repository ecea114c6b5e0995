package io.pilotlight.tracee;

import static io.pilotlight.linux.Syscall.CLONE;
import static io.pilotlight.linux.Syscall.EXECVE;

import io.pilotlight.linux.Affinity;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcessMemory;
import io.pilotlight.linux.Ptrace;
import io.pilotlight.tracee.Registers.Name;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process of which every thread is in a ptrace stop. It stays so until {@link #release} or {@link
 * #leaveAt}; if the process that traces it dies, the kernel lets it run on.
 *
 * <p>Belongs to the platform thread that froze it: ptrace requests must come from the thread that
 * seized. Not thread-safe.
 */
public final class FrozenProcess {
  private static final Logger LOG = LoggerFactory.getLogger(FrozenProcess.class);
  private static final int EVENT_EXEC = 4;
  private static final int EVENT_STOP = 128;
  private static final int SYSCALL_INSTRUCTION_BYTES = 2;
  private static final long OPTION_TRACE_EXEC = 0x10;
  private static final long OPTION_EXIT_KILL = 0x100000;
  private static final int SIGTRAP = 5;
  private static final int MAX_ERRNO = 4096;
  private static final int MAX_EXTENDED_STATE = 16384;

  /**
   * Everything but SIGTRAP: a forced SIGTRAP that is blocked would lose the process its handler.
   */
  private static final long ALL_BUT_TRAP = ~(1L << (SIGTRAP - 1));

  private static final long ALL = ~0L;

  private final int pid;
  private final Ptrace ptrace = new Ptrace();
  private final ProcessMemory memory;
  private final List<ThreadState> threads = new ArrayList<>();
  private final Map<Integer, Boolean> seized = new LinkedHashMap<>();
  private long syscallInstruction;

  private FrozenProcess(int pid) {
    this.pid = pid;
    this.memory = new ProcessMemory(pid);
  }

  /**
   * Stops every thread of a process and reads it. The process must have at least one other thread
   * than its leader.
   *
   * @throws IOException if a step failed; the process runs on then
   */
  public static FrozenProcess freeze(int pid) throws IOException {
    FrozenProcess process = new FrozenProcess(pid);
    try {
      process.stopAll();
      process.readAll();
      process.syscallInstruction = process.findSyscallInstruction();
      return process;
    } catch (IOException | RuntimeException e) {
      process.release();
      throw e;
    }
  }

  /** Lets a process go on that waits to execute a program. */
  @FunctionalInterface
  public interface Go {
    /** Does it. */
    void run() throws IOException;
  }

  /**
   * Stops a process before the first instruction of the program that it executes next: nothing of
   * that program has run, it has one thread and nothing is registered for it. If this process dies
   * before it has let it go, the kernel kills it.
   *
   * @param pid a process with one thread, which is about to execute a program
   * @param go lets it do so
   * @throws IOException if a step failed, or the process ended without executing anything
   */
  public static FrozenProcess atExec(int pid, Go go) throws IOException {
    FrozenProcess process = new FrozenProcess(pid);
    try {
      process.ptrace.seize(pid, OPTION_TRACE_EXEC | OPTION_EXIT_KILL);
      process.seized.put(pid, true);
      go.run();
      process.awaitEvent(pid, EVENT_EXEC);
      // At that stop the kernel has still to set the result of execve(2), which would be taken for
      // that of the first call made here.
      process.ptrace.interrupt(pid);
      process.ptrace.resume(pid, 0);
      process.awaitEvent(pid, EVENT_STOP);
      process.readAll();
      process.syscallInstruction = process.findSyscallInstruction();
      return process;
    } catch (IOException | RuntimeException e) {
      process.release();
      throw e;
    }
  }

  private void awaitEvent(int tid, int event) throws IOException {
    if (!awaitStop(tid, event)) {
      throw new IOException("process " + pid + " ended before its program began");
    }
  }

  /**
   * Threads that are not stopped yet may still make new ones, so the list is read until it holds
   * none that is new.
   */
  private void stopAll() throws IOException {
    boolean found = true;
    while (found) {
      found = false;
      List<Integer> fresh = new ArrayList<>();
      for (int tid : ProcFs.threads(pid)) {
        if (!seized.containsKey(tid) && seize(tid)) {
          fresh.add(tid);
          found = true;
        }
      }
      for (int tid : fresh) {
        if (!awaitStop(tid, EVENT_STOP)) {
          seized.remove(tid);
        }
      }
    }
  }

  /** False if the thread ended meanwhile. */
  private boolean seize(int tid) throws KernelException {
    try {
      ptrace.seize(tid);
      seized.put(tid, true);
      ptrace.interrupt(tid);
      return true;
    } catch (KernelException e) {
      if (e.errno() == Errno.ESRCH) {
        seized.remove(tid);
        return false;
      }
      throw e;
    }
  }

  /**
   * A signal that was on its way is delivered first: the kernel builds its handler's frame, and the
   * stop that was asked for follows before the handler's first instruction.
   */
  private boolean awaitStop(int tid, int event) throws KernelException {
    while (true) {
      Ptrace.Stop stop = ptrace.await(tid);
      if (stop.ended()) {
        return false;
      }
      if (stop.event() == event) {
        return true;
      }
      ptrace.resume(tid, stop.event() == 0 ? stop.signal() : 0);
    }
  }

  private void readAll() throws IOException {
    threads.clear();
    ByteBuffer state = ByteBuffer.allocateDirect(MAX_EXTENDED_STATE);
    for (int tid : leaderFirst()) {
      Registers registers = new Registers();
      ptrace.readRegisters(tid, registers.bytes());
      int bytes = ptrace.readExtendedState(tid, state);
      ByteBuffer extended = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
      extended.put(0, state, 0, bytes);
      threads.add(
          new ThreadState(
              tid,
              ProcFs.ownThreadId(pid, tid),
              ProcFs.threadName(pid, tid),
              registers,
              extended,
              ptrace.signalMask(tid),
              ptrace.rseq(tid),
              ptrace.robustList(tid),
              ProcFs.nice(pid, tid),
              timerSlack(tid),
              Affinity.of(tid)));
    }
  }

  /** By id the leader need not be the lowest: ids wrap around. */
  private List<Integer> leaderFirst() throws IOException {
    if (!seized.containsKey(pid)) {
      throw new IOException(
          "the first thread of process " + pid + " has ended; it cannot be forked");
    }
    List<Integer> tids = new ArrayList<>(seized.keySet());
    tids.sort(Comparator.comparingInt(tid -> tid == pid ? 0 : 1));
    return tids;
  }

  private static long timerSlack(int tid) {
    try {
      return Long.parseLong(Files.readString(Path.of("/proc/" + tid + "/timerslack_ns")).strip());
    } catch (IOException e) {
      return -1;
    }
  }

  /** The vdso falls back to real system calls, so it holds the instruction, in two pages. */
  private long findSyscallInstruction() throws IOException {
    for (ProcFs.Mapping mapping : ProcFs.mappings(pid)) {
      if (mapping.path().equals("[vdso]")) {
        ByteBuffer code = memory.read(mapping.start(), (int) (mapping.end() - mapping.start()));
        for (int i = 0; i + 1 < code.limit(); i++) {
          if (code.get(i) == 0x0f && code.get(i + 1) == 0x05) {
            return mapping.start() + i;
          }
        }
      }
    }
    throw new IOException("process " + pid + " has no vdso with a syscall instruction");
  }

  /** Its pid. */
  public int pid() {
    return pid;
  }

  /** Its memory. */
  public ProcessMemory memory() {
    return memory;
  }

  /** Its threads; the leader is the first. */
  public List<ThreadState> threads() {
    return List.copyOf(threads);
  }

  /**
   * The first thread that is computing rather than waiting in the kernel; empty if the process is
   * at rest.
   */
  public Optional<ThreadState> busyThread() {
    return threads.stream().filter(thread -> !thread.registers().waiting()).findFirst();
  }

  /**
   * Runs one system call in a thread of the process. The thread's registers and mask are as before
   * afterwards.
   *
   * @return what the kernel returned; a negated error number if it failed
   */
  public long syscall(ThreadState thread, long number, long... arguments) throws IOException {
    return run(thread, callRegisters(thread, number, arguments), true).get(Name.RAX);
  }

  private Registers callRegisters(ThreadState thread, long number, long... arguments) {
    Registers registers = thread.registers().copy().set(Name.ORIG_RAX, -1);
    registers.set(Name.RIP, syscallInstruction).set(Name.RAX, number);
    Name[] order = {Name.RDI, Name.RSI, Name.RDX, Name.R10, Name.R8, Name.R9};
    for (int i = 0; i < order.length; i++) {
      registers.set(order[i], i < arguments.length ? arguments[i] : 0);
    }
    return registers;
  }

  /**
   * Runs one system call as {@link #syscall} does.
   *
   * @param name the call, for an error
   * @param detail what it was made on, for an error
   * @return what the kernel returned
   * @throws KernelException if the kernel refused it
   */
  public long call(ThreadState thread, String name, String detail, long number, long... arguments)
      throws IOException {
    long result = syscall(thread, number, arguments);
    if (result < 0 && result > -MAX_ERRNO) {
      throw new KernelException(name, detail + ", in process " + pid, (int) -result);
    }
    return result;
  }

  /**
   * Makes a process by clone(2), of which no thread has run yet: it stands frozen where the thread
   * stands, and belongs to the caller like this one.
   *
   * @param what the new process is, for an error
   * @param flags of clone(2), the signal at its end included; no memory may be shared
   * @throws KernelException if the kernel refused it
   */
  public FrozenProcess fork(ThreadState thread, String what, long flags) throws IOException {
    int tid = thread.tid();
    ptrace.traceChildren(tid);
    prepare(tid, callRegisters(thread, CLONE, flags));
    ptrace.singleStep(tid);
    Ptrace.Stop stop = ptrace.await(tid);
    if (stop.ended() || stop.event() == 0) {
      requireTrap(tid, stop);
      long result = afterCall(thread).get(Name.RAX);
      throw new KernelException("clone", what + ", in process " + pid, (int) -result);
    }
    FrozenProcess child = new FrozenProcess(ptrace.eventMessage(tid));
    child.seized.put(child.pid, true);
    child.syscallInstruction = syscallInstruction;
    ptrace.singleStep(tid);
    requireTrap(tid, ptrace.await(tid));
    afterCall(thread);
    if (!child.awaitStop(child.pid, EVENT_STOP)) {
      throw new IOException(what + " ended before it ran");
    }
    child.readAll();
    return child;
  }

  /**
   * Has the process, which must have one thread, become another program, with no signal blocked. It
   * stands frozen before that program's first instruction afterwards.
   *
   * @param program the program's path, for an error
   * @param arguments addresses of path, arguments and environment
   * @throws KernelException if the kernel refused it; the process is what it was then
   */
  public void exec(ThreadState thread, String program, long... arguments) throws IOException {
    int tid = thread.tid();
    Registers before = callRegisters(thread, EXECVE, arguments);
    ptrace.writeRegisters(tid, before.bytes());
    ptrace.signalMask(tid, 0);
    ptrace.singleStep(tid);
    requireTrap(tid, ptrace.await(tid));
    Registers after = new Registers();
    ptrace.readRegisters(tid, after.bytes());
    if (after.get(Name.RIP) == syscallInstruction + SYSCALL_INSTRUCTION_BYTES) {
      throw new KernelException("execve", program, (int) -after.get(Name.RAX));
    }
    readAll();
    syscallInstruction = findSyscallInstruction();
  }

  /**
   * Lets a thread run from {@code registers} to its next trap instruction, then gives it its own
   * registers back.
   *
   * @return the registers at the trap
   */
  public Registers runToTrap(ThreadState thread, Registers registers) throws IOException {
    return run(thread, registers, false);
  }

  private Registers run(ThreadState thread, Registers registers, boolean oneInstruction)
      throws IOException {
    int tid = thread.tid();
    prepare(tid, registers);
    if (oneInstruction) {
      ptrace.singleStep(tid);
    } else {
      ptrace.resume(tid, 0);
    }
    requireTrap(tid, ptrace.await(tid));
    return afterCall(thread);
  }

  private void prepare(int tid, Registers registers) throws KernelException {
    ptrace.signalMask(tid, ALL_BUT_TRAP);
    ptrace.writeRegisters(tid, registers.bytes());
  }

  private void requireTrap(int tid, Ptrace.Stop stop) throws IOException {
    if (stop.ended()) {
      throw new IOException("process " + pid + " ended while it was frozen");
    }
    if (stop.signal() != SIGTRAP || stop.event() != 0) {
      throw new IOException(
          "thread "
              + tid
              + " stopped with signal "
              + stop.signal()
              + ", event "
              + stop.event()
              + ", where a trap was expected");
    }
  }

  /** What the thread's registers are now; then it gets its own back. */
  private Registers afterCall(ThreadState thread) throws KernelException {
    int tid = thread.tid();
    Registers result = new Registers();
    ptrace.readRegisters(tid, result.bytes());
    ptrace.writeRegisters(tid, thread.registers().bytes());
    ptrace.signalMask(tid, thread.signalMask());
    return result;
  }

  /**
   * Lets every thread run on from where it was stopped. A process that has ended meanwhile is not
   * an error.
   */
  public void release() {
    seized.keySet().forEach(this::letGo);
    seized.clear();
  }

  private void letGo(int tid) {
    try {
      ptrace.detach(tid, 0);
    } catch (KernelException e) {
      // ESRCH: the thread was killed, or was never stopped. There is nothing to let go then.
      LOG.debug("thread {} of process {} was not detached", tid, pid, e);
    }
  }

  /**
   * Lets the process go, each thread at a place of the caller's with every signal blocked. The
   * leader goes last, when nothing else of the process moves any more.
   *
   * @param leader the leader's registers
   * @param others the instruction at which all others go on
   */
  public void leaveAt(Registers leader, long others) throws KernelException {
    for (int i = threads.size() - 1; i >= 0; i--) {
      int tid = threads.get(i).tid();
      Registers registers =
          i == 0
              ? leader
              : threads.get(i).registers().copy().set(Name.ORIG_RAX, -1).set(Name.RIP, others);
      ptrace.writeRegisters(tid, registers.bytes());
      ptrace.signalMask(tid, ALL);
      ptrace.detach(tid, 0);
      seized.remove(tid);
    }
  }
}
