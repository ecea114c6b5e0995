package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.BRK;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.DUP3;
import static io.pilotlight.linux.Syscall.MMAP;
import static io.pilotlight.linux.Syscall.MPROTECT;
import static io.pilotlight.linux.Syscall.MUNMAP;
import static io.pilotlight.linux.Syscall.OPEN;
import static io.pilotlight.linux.Syscall.PRCTL;
import static io.pilotlight.linux.Syscall.RSEQ;
import static io.pilotlight.linux.Syscall.SCHED_SETAFFINITY;
import static io.pilotlight.linux.Syscall.SETPRIORITY;
import static io.pilotlight.linux.Syscall.SET_ROBUST_LIST;
import static io.pilotlight.linux.Syscall.SIGALTSTACK;
import static io.pilotlight.linux.Syscall.SOCKETPAIR;
import static io.pilotlight.linux.Uapi.AF_UNIX;
import static io.pilotlight.linux.Uapi.MAP_PRIVATE_ANONYMOUS;
import static io.pilotlight.linux.Uapi.O_CLOEXEC;
import static io.pilotlight.linux.Uapi.O_PATH;
import static io.pilotlight.linux.Uapi.PROT_READ_EXEC;
import static io.pilotlight.linux.Uapi.PROT_READ_WRITE;
import static io.pilotlight.linux.Uapi.PR_SET_NAME;
import static io.pilotlight.linux.Uapi.PR_SET_PDEATHSIG;
import static io.pilotlight.linux.Uapi.PR_SET_TIMERSLACK;
import static io.pilotlight.linux.Uapi.SIGKILL;
import static io.pilotlight.linux.Uapi.SOCK_STREAM;

import io.pilotlight.engine.ForkServerOptions.Streams;
import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Connection;
import io.pilotlight.engine.Operation.Received;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.engine.ResidentLayout.CloneThread;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.tracee.ExtendedState;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.Registers;
import io.pilotlight.tracee.Registers.Name;
import io.pilotlight.tracee.SignalFrame.SignalStack;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns a frozen JVM into a fork server. A region is mapped into it, with the resident routine, a
 * control block, and for each thread a signal frame that holds all its state. Then the leader is
 * sent to the routine, every other thread to a loop that only pauses, and all are let go: the
 * zygote is an ordinary process again, without a tracer, that waits for requests on its listening
 * socket and outlives the daemon.
 *
 * <p>A clone is made by the routine's {@code clone}: it has one thread, which puts the clone's own
 * descriptors in place, waits for its first byte, and makes the other threads, first the one that
 * reads the request; each loads its frame by rt_sigreturn(2) and goes on where its original was
 * frozen.
 *
 * <p>One instance installs once, on the platform thread that froze the process.
 */
final class ForkServer {
  private static final int TCB_SEARCH_BYTES = 4096;

  /** A thread's name, the arguments of clone3(2), sets of capabilities. */
  private static final int MAX_DATA_BYTES = 256;

  private static final int CPUID_EXTENDED_STATE = 0xd;

  private final FrozenProcess process;
  private final ForkServerOptions options;
  private final LongSupplier nanoTime;
  private long base;
  private int regionBytes;
  private @Nullable Registers serving;

  ForkServer(FrozenProcess process, ForkServerOptions options, LongSupplier nanoTime) {
    this.process = process;
    this.options = options;
    this.nanoTime = nanoTime;
  }

  /**
   * Installs it and lets the process go.
   *
   * @throws UnclonableException if the process holds what cannot be cloned; nothing has been
   *     changed in it then
   * @throws IOException if a step failed; the process can only be ended then
   */
  Installed install() throws IOException, UnclonableException {
    Installed installed = prepare();
    leave();
    return installed;
  }

  /**
   * Does all that {@link #install} does, but leaves the process as it was frozen: its memory is
   * that of a fork server then. {@link #leave} or {@link #withdraw} has to follow.
   */
  Installed prepare() throws IOException, UnclonableException {
    Descriptors.Plan plan = check();
    ThreadState leader = process.threads().get(0);
    List<ThreadState> order = readerFirst(process.threads());
    map(leader, plan, order);
    close(leader, plan.closings());
    ExtendedState format = extendedState(leader);
    long collapseStart = nanoTime.getAsLong();
    OperationBatch batch =
        new OperationBatch(
            process, leader, base, base + ResidentLayout.BATCH, ResidentLayout.REQUEST_BYTES);
    new MemoryShape(process, leader, batch::run).improve(options.serialHeap(), options.collapse());
    long collapseNanos = nanoTime.getAsLong() - collapseStart;
    ClockShift clocks =
        new ClockShift(nanoTime.getAsLong(), ProcFs.bootNanos())
            .plus(TimeNamespace.ahead(process.pid()));
    long now = clocks.monotonicNanos();
    Residence residence = residence(batch, leader, plan, clocks);
    List<CloneThread> threads = new ArrayList<>();
    for (ThreadState thread : order) {
      OptionalLong wait = Housekeeping.waitNanos(thread, process.memory(), now);
      threads.add(new CloneThread(thread, signalStack(thread), wait, operations(thread, leader)));
    }
    Confinement confinement = options.confinement();
    long namespaces = confinement == null ? 0 : OwnSteps.namespaces(confinement);
    ResidentLayout layout = new ResidentLayout(fixed(plan), threads, threadIdOffset(), namespaces);
    ByteBuffer image =
        layout.image(
            base, regionBytes, format, options.listenDescriptor(), options.channelDescriptor());
    writeImage(image);
    Registers registers = leader.registers().copy().set(Name.ORIG_RAX, -1);
    registers.set(Name.RIP, base + ResidentRoutine.SERVE);
    registers.set(Name.RDI, base + ResidentLayout.CONTROL);
    serving = registers;
    return new Installed(
        order.size(),
        layout.cloneCall(base),
        layout.stepNames(),
        plan.notes(),
        collapseNanos,
        residence);
  }

  private void leave() throws IOException {
    process.leaveAt(Objects.requireNonNull(serving), base + ResidentRoutine.PARK);
  }

  /** Takes back what {@link #prepare} did, as far as it got; the process can be released then. */
  void withdraw() throws IOException {
    if (base != 0) {
      ThreadState leader = process.threads().get(0);
      process.call(leader, "munmap", regionBytes + " bytes", MUNMAP, base, regionBytes);
    }
  }

  /** What every clone does while it has one thread. Its channel first: it tells what fails. */
  private List<Operation> fixed(Descriptors.Plan plan) {
    List<Operation> operations = new ArrayList<>(ownDescriptors());
    Confinement confinement = options.confinement();
    if (confinement == null) {
      operations.addAll(plan.operations());
    } else {
      operations.addAll(OwnSteps.ofCloneFirst(confinement));
      operations.addAll(plan.operations());
      operations.addAll(OwnSteps.ofCloneLast(confinement));
    }
    return operations;
  }

  /**
   * What {@link #install} made.
   *
   * @param threads how many threads each clone gets
   * @param call by which it makes clones
   * @param stepNames what the steps of a StepFailed frame are
   * @param notes one sentence for each descriptor that a rule allowed
   * @param collapseNanos how long the collapse took
   * @param residence what an image must know of it
   */
  record Installed(
      int threads,
      CloneCall call,
      List<String> stepNames,
      List<String> notes,
      long collapseNanos,
      Residence residence) {}

  private Residence residence(
      OperationBatch batch, ThreadState leader, Descriptors.Plan plan, ClockShift clocks)
      throws IOException {
    // The signal frames, which are written later, have more room than the actions need.
    long space = base + regionBytes - SignalActions.BYTES;
    return new Residence(
        base,
        SignalActions.read(process, batch, space),
        new Residence.Leader(
            leader.threadPointer(),
            leader.rseq().address(),
            leader.rseq().bytes(),
            leader.rseq().signature(),
            leader.name(),
            leader.nice(),
            leader.timerSlackNanos()),
        KeptDescriptors.of(process.pid(), own(), plan.operations()),
        process.call(leader, "brk", "its end", BRK, 0),
        clocks.monotonicNanos(),
        clocks.bootNanos());
  }

  private Descriptors.Plan check() throws IOException, UnclonableException {
    int pid = process.pid();
    List<ProcFs.Mapping> mappings = ProcFs.mappings(pid);
    Descriptors.Plan plan = Descriptors.plan(pid, own(), options.policy());
    List<Obstacle> obstacles = new ArrayList<>(Cloneability.obstacles(pid, mappings));
    obstacles.addAll(plan.obstacles());
    if (!obstacles.isEmpty()) {
      throw new UnclonableException(obstacles);
    }
    return plan;
  }

  /** Descriptors that are dealt with here. */
  private Set<Integer> own() {
    return Set.of(0, 1, 2, options.channelDescriptor(), options.listenDescriptor());
  }

  /** Behind the leader comes the thread that will read the first request: it is made first. */
  private List<ThreadState> readerFirst(List<ThreadState> threads) {
    List<ThreadState> order = new ArrayList<>(threads.subList(1, threads.size()));
    order.sort(Comparator.comparingInt(t -> t.readsFrom(options.channelDescriptor()) ? 0 : 1));
    order.add(0, threads.get(0));
    return order;
  }

  private void map(ThreadState leader, Descriptors.Plan plan, List<ThreadState> threads)
      throws IOException {
    List<Operation> fixed = fixed(plan);
    int perThread = 9;
    int strings =
        fixed.stream()
                .flatMap(operation -> operation.arguments().stream())
                .mapToInt(Operation.Argument::dataBytes)
                .sum()
            + threads.size() * (MAX_DATA_BYTES + leader.affinity().length);
    regionBytes =
        ResidentLayout.regionBytes(
            fixed.size() + perThread * threads.size(),
            strings,
            threads.size(),
            leader.extendedState().limit());
    base =
        process.call(
            leader,
            "mmap",
            regionBytes + " bytes",
            MMAP,
            0,
            regionBytes,
            PROT_READ_WRITE,
            MAP_PRIVATE_ANONYMOUS,
            -1,
            0);
    byte[] code = ResidentRoutine.code();
    ByteBuffer page = ByteBuffer.allocateDirect(code.length);
    page.put(0, code);
    process.memory().write(base, page);
    process.call(
        leader,
        "mprotect",
        "the routine's page",
        MPROTECT,
        base,
        ResidentLayout.PAGE,
        PROT_READ_EXEC);
  }

  /**
   * Closes descriptors in the zygote, which runs no code of the function any more. Their numbers
   * stay taken: a clone still believes that they are open, and must not reach by them what it opens
   * later. A file's place is taken by a descriptor with O_PATH, on which every call fails with
   * EBADF; that of all others by a socket without a peer, which may be registered with an epoll
   * instance, reads the end of the stream, and is what the JDK itself puts in the place of a socket
   * that it closes.
   */
  private void close(ThreadState leader, List<Descriptors.Closing> closings) throws IOException {
    long at = base + ResidentLayout.BATCH;
    for (Descriptors.Closing closing : closings) {
      String detail = "descriptor " + closing.number();
      List<Long> made = new ArrayList<>();
      if (closing.file()) {
        process.memory().write(at, ByteBuffer.allocateDirect(2).put(0, (byte) '/'));
        made.add(process.call(leader, "open", "/", OPEN, at, O_PATH | O_CLOEXEC));
      } else {
        process.call(leader, "socketpair", detail, SOCKETPAIR, AF_UNIX, SOCK_STREAM, 0, at);
        ByteBuffer pair = process.memory().read(at, 2 * Integer.BYTES);
        made.add((long) pair.getInt(0));
        made.add((long) pair.getInt(Integer.BYTES));
      }
      process.call(leader, "dup3", detail, DUP3, made.get(0), closing.number(), O_CLOEXEC);
      for (long spare : made) {
        process.call(leader, "close", "spare of " + detail, CLOSE, spare);
      }
    }
  }

  private void writeImage(ByteBuffer image) throws IOException {
    ByteBuffer data = image.slice(ResidentLayout.PAGE, regionBytes - ResidentLayout.PAGE);
    process.memory().write(base + ResidentLayout.PAGE, data);
  }

  private ExtendedState extendedState(ThreadState leader) throws IOException {
    ExtendedState widest = null;
    for (ThreadState thread : process.threads()) {
      widest = ExtendedState.of(thread.extendedState(), bit -> cpuid(leader, bit));
    }
    if (widest == null) {
      throw new IOException("process " + process.pid() + " has no thread");
    }
    return widest;
  }

  private ExtendedState.SizeAndOffset cpuid(ThreadState leader, int bit) throws IOException {
    Registers registers = leader.registers().copy().set(Name.ORIG_RAX, -1);
    registers.set(Name.RIP, base + ResidentRoutine.CPUID);
    registers.set(Name.RAX, CPUID_EXTENDED_STATE).set(Name.RCX, bit);
    Registers result = process.runToTrap(leader, registers);
    return new ExtendedState.SizeAndOffset((int) result.get(Name.RAX), (int) result.get(Name.RBX));
  }

  /** Asked of the thread itself: the kernel tells nobody else. */
  private SignalStack signalStack(ThreadState thread) throws IOException {
    long at = base + ResidentLayout.BATCH;
    process.call(thread, "sigaltstack", thread.name(), SIGALTSTACK, 0, at);
    ByteBuffer stack = process.memory().read(at, 24);
    return new SignalStack(stack.getLong(0), stack.getInt(8), stack.getLong(16));
  }

  /**
   * What a new thread does not inherit, or inherits from the leader rather than from its original.
   */
  private List<Operation> operations(ThreadState thread, ThreadState leader) {
    List<Operation> operations = new ArrayList<>();
    if (options.confinement() != null) {
      operations.add(OwnSteps.dropCapabilities());
    }
    boolean isLeader = thread.tid() == leader.tid();
    if (!isLeader && thread.rseq().address() != 0) {
      operations.add(
          Operation.of(
              "rseq",
              "register",
              RSEQ,
              value(thread.rseq().address()),
              value(thread.rseq().bytes()),
              value(0),
              value(thread.rseq().signature())));
    }
    if (thread.robustList().head() != 0) {
      operations.add(
          Operation.of(
              "set_robust_list",
              "futexes",
              SET_ROBUST_LIST,
              value(thread.robustList().head()),
              value(thread.robustList().bytes())));
    }
    if (!isLeader && !thread.name().equals(leader.name())) {
      operations.add(
          Operation.of("prctl", "PR_SET_NAME", PRCTL, value(PR_SET_NAME), new Text(thread.name())));
    }
    if (thread.nice() != leader.nice()) {
      operations.add(
          Operation.of(
                  "setpriority",
                  "nice " + thread.nice(),
                  SETPRIORITY,
                  value(0),
                  value(0),
                  value(thread.nice()))
              .orIgnore());
    }
    if (thread.timerSlackNanos() >= 0 && thread.timerSlackNanos() != leader.timerSlackNanos()) {
      operations.add(
          Operation.of(
              "prctl",
              "PR_SET_TIMERSLACK",
              PRCTL,
              value(PR_SET_TIMERSLACK),
              value(thread.timerSlackNanos())));
    }
    if (!Arrays.equals(thread.affinity(), leader.affinity())) {
      operations.add(
          Operation.of(
                  "sched_setaffinity",
                  "processors",
                  SCHED_SETAFFINITY,
                  value(0),
                  value(thread.affinity().length),
                  new Bytes(thread.affinity()))
              .orIgnore());
    }
    return operations;
  }

  /**
   * The clone's own channel and output take the places of the zygote's; what belongs to the zygote
   * alone is closed.
   */
  private List<Operation> ownDescriptors() {
    int channel = options.channelDescriptor();
    List<Operation> operations = new ArrayList<>();
    operations.add(dup(new Received(0), channel, O_CLOEXEC, "channel"));
    operations.add(endsWithParent());
    boolean all = options.streams() == Streams.ALL;
    if (all) {
      operations.add(dup(new Received(1), 0, 0, "stdin"));
    }
    operations.add(dup(new Received(all ? 2 : 1), 1, 0, "stdout"));
    operations.add(dup(new Received(all ? 3 : 1), 2, 0, "stderr"));
    for (int i = 0; i <= options.streams().descriptors(); i++) {
      operations.add(close(new Received(i), "received descriptor " + i));
    }
    operations.add(close(new Connection(), "the zygote's connection"));
    operations.add(
        all
            // It may be frozen again, and must have nothing of its own under that number then.
            ? dup(value(channel), options.listenDescriptor(), O_CLOEXEC, "the zygote's socket")
            : close(value(options.listenDescriptor()), "the zygote's socket"));
    return operations;
  }

  /** The process that makes this call is killed when the thread that is its parent ends. */
  static Operation endsWithParent() {
    return Operation.of(
        "prctl", "PR_SET_PDEATHSIG", PRCTL, value(PR_SET_PDEATHSIG), value(SIGKILL));
  }

  private static Operation dup(Operation.Argument from, int to, int flags, String detail) {
    return Operation.of("dup3", detail, DUP3, from, value(to), value(flags));
  }

  static Operation close(Operation.Argument descriptor, String detail) {
    return Operation.of("close", detail, CLOSE, descriptor);
  }

  /**
   * Where glibc keeps a thread's id in its thread control block: the kernel is told that address
   * when it makes the thread in a clone, and writes the new id there. Found by looking for the ids
   * that are there now.
   */
  private int threadIdOffset() throws IOException {
    List<ThreadState> threads = process.threads();
    List<ByteBuffer> blocks = new ArrayList<>();
    for (ThreadState thread : threads) {
      blocks.add(process.memory().read(thread.threadPointer(), TCB_SEARCH_BYTES / 2));
    }
    for (int offset = 0; offset < TCB_SEARCH_BYTES / 2; offset += Integer.BYTES) {
      boolean everywhere = true;
      for (int i = 0; i < threads.size() && everywhere; i++) {
        everywhere = blocks.get(i).getInt(offset) == threads.get(i).ownTid();
      }
      if (everywhere) {
        return offset;
      }
    }
    throw new IOException(
        "glibc's copy of the thread id was not found within "
            + TCB_SEARCH_BYTES / 2
            + " bytes of the thread pointers of process "
            + process.pid()
            + "; this version of glibc is not supported");
  }
}
