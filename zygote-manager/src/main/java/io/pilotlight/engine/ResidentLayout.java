package io.pilotlight.engine;

import static io.pilotlight.linux.Syscall.CLONE3;
import static io.pilotlight.linux.Uapi.SCM_RIGHTS;
import static io.pilotlight.linux.Uapi.SOL_SOCKET;

import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.engine.Operation.Value;
import io.pilotlight.linux.Sockets;
import io.pilotlight.recorder.ReplayPlan;
import io.pilotlight.tracee.ExtendedState;
import io.pilotlight.tracee.SignalFrame;
import io.pilotlight.tracee.SignalFrame.SignalStack;
import io.pilotlight.tracee.ThreadState;
import io.pilotlight.tracee.TimedWait;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The region that is put into a zygote: the routine's page, its control block, and all that it
 * reads. The structures are described in {@code src/main/asm/resident.S}; the offsets here and
 * there are one contract.
 *
 * <pre>
 *   0      code (read and execute)
 *   4096   control block, message header, reply, failure frame, received descriptors
 *   8192   the request
 *   ...    operations of every clone, threads and their operations, strings
 *   ...    one signal frame per thread
 * </pre>
 */
final class ResidentLayout {
  static final int PAGE = 4096;
  static final int CONTROL = PAGE;
  static final int REQUEST = 2 * PAGE;
  static final int REQUEST_BYTES = 8 * PAGE;
  static final int BATCH = REQUEST;

  static final int CONNECTION = CONTROL + 0x68;
  private static final int MESSAGE_HEADER = CONTROL + 0x80;
  private static final int IO_VECTOR = CONTROL + 0xc0;
  private static final int REPLY = CONTROL + 0xe0;
  private static final int FAILURE_FRAME = CONTROL + 0x100;

  /** Where a result is kept for later operations. */
  static final int KEPT = CONTROL + 0x120;

  private static final int CONTROL_MESSAGE = CONTROL + 0x140;
  private static final int CONTROL_MESSAGE_BYTES = 16 + 4 * Sockets.MAX_FDS;

  /** Where the descriptors lie that came with a request. */
  static final int RECEIVED = CONTROL_MESSAGE + 16;

  private static final int REPLY_HEADER = CONTROL + 0x180;
  private static final int REPLY_VECTOR = CONTROL + 0x1c0;
  private static final int REPLY_CONTROL = CONTROL + 0x1d0;
  private static final int REPLY_CONTROL_BYTES = 20;
  private static final int PIDFD = REPLY_CONTROL + 16;

  private static final int RANGE_BYTES = 16;

  /** Size of a request that asks for no ranges to be touched. */
  private static final int PLAIN_REQUEST_BYTES = 0x80;

  /** Enough for the operations of a request and what they point at. */
  private static final int MAX_PLACEMENT_BYTES = 1024;

  /** How many ranges a request can ask for. */
  static final int MAX_RANGES =
      (REQUEST_BYTES - PLAIN_REQUEST_BYTES - MAX_PLACEMENT_BYTES) / RANGE_BYTES;

  /** Size of a reply. */
  static final int REPLY_BYTES = 16;

  private static final int COMMAND_OFFSET = 0x08;
  private static final int COMMAND_FORK = 1;
  private static final int OPERATIONS_OFFSET = 0x18;
  private static final int RANGES_OFFSET = 0x20;
  private static final int DESCRIPTOR_PLACE_OFFSET = 0x28;
  private static final int MAKE_PROCESS_OFFSET = 0x40;
  private static final int FIXED = REQUEST + REQUEST_BYTES;
  private static final int THREAD_BYTES = 128;
  private static final int STEP_FAILED_BODY = 8;

  private static final long CLONE = 56;
  private static final long CLONE_VM = 0x100;
  private static final long CLONE_FS = 0x200;
  private static final long CLONE_FILES = 0x400;
  private static final long CLONE_SIGHAND = 0x800;
  private static final long CLONE_PIDFD = 0x1000;
  private static final long CLONE_PARENT = 0x8000;
  private static final long CLONE_THREAD = 0x10000;
  private static final long CLONE_SYSVSEM = 0x40000;
  private static final long CLONE_SETTLS = 0x80000;
  private static final long CLONE_CHILD_CLEARTID = 0x200000;
  private static final long CLONE_CHILD_SETTID = 0x1000000;
  private static final long SIGCHLD = 17;

  private static final long NEW_THREAD =
      CLONE_VM
          | CLONE_FS
          | CLONE_FILES
          | CLONE_SIGHAND
          | CLONE_THREAD
          | CLONE_SYSVSEM
          | CLONE_SETTLS
          | CLONE_CHILD_SETTID
          | CLONE_CHILD_CLEARTID;

  private static final long NEW_PROCESS =
      CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;

  /**
   * A thread as a clone gets it.
   *
   * @param waitNanos how long it waits on in the timed wait that it was found in; empty if it is in
   *     none, or its deadline holds
   */
  record CloneThread(
      ThreadState state,
      SignalStack signalStack,
      OptionalLong waitNanos,
      List<Operation> operations) {}

  private final List<Operation> fixed;
  private final List<CloneThread> threads;
  private final int threadIdOffset;
  private final long namespaces;
  private final int strings;

  /**
   * Computes the layout.
   *
   * @param fixed what every clone does while it has one thread
   * @param threads the leader first, then in the order in which they are to be made; the second
   *     reads the first request
   * @param threadIdOffset where glibc keeps a thread's id, relative to its thread pointer
   * @param namespaces flags of clone(2) for the namespaces that a clone gets; 0 for none. With them
   *     the threads of a clone have the ids that they have in the zygote
   */
  ResidentLayout(
      List<Operation> fixed, List<CloneThread> threads, int threadIdOffset, long namespaces) {
    this.fixed = List.copyOf(fixed);
    this.threads = List.copyOf(threads);
    this.threadIdOffset = threadIdOffset;
    this.namespaces = namespaces;
    int operations = fixed.size() + threads.stream().mapToInt(t -> t.operations().size()).sum();
    this.strings = FIXED + operations * Operation.BYTES + threads.size() * THREAD_BYTES;
  }

  /** The region's size for a process: an upper bound, whatever the operations turn out to be. */
  static int regionBytes(int operations, int stringBytes, int threads, int extendedStateBytes) {
    int frame = SignalFrame.bytes(new ExtendedState(0, extendedStateBytes));
    int bytes =
        FIXED + operations * Operation.BYTES + stringBytes + threads * (THREAD_BYTES + frame);
    return (bytes + 2 * PAGE) / PAGE * PAGE;
  }

  /** Everything but the code page, which is written apart. */
  ByteBuffer image(
      long base, int bytes, ExtendedState format, int listenDescriptor, int channelDescriptor) {
    ByteBuffer image = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    Operation.Writer writer = new Operation.Writer(image, base, strings);
    int threadTable = FIXED + fixed.size() * Operation.BYTES;
    int threadOperations = threadTable + threads.size() * THREAD_BYTES;
    writer.write(fixed, FIXED);
    for (int i = 0; i < threads.size(); i++) {
      CloneThread thread = threads.get(i);
      int entry = threadTable + i * THREAD_BYTES;
      writer.write(makeThread(thread.state()), entry);
      image.putLong(entry + 0x40, base + threadOperations);
      image.putLong(entry + 0x48, thread.operations().size());
      writer.write(thread.operations(), threadOperations);
      threadOperations += thread.operations().size() * Operation.BYTES;
    }
    int frame = (writer.end() + 63) / 64 * 64;
    for (int i = 0; i < threads.size(); i++) {
      CloneThread thread = threads.get(i);
      int entry = threadTable + i * THREAD_BYTES;
      ThreadState state = resumed(thread, image, entry + 0x60, base);
      SignalFrame.write(state, thread.signalStack(), format, image, frame, base + frame);
      image.putLong(entry + 0x50, base + frame + SignalFrame.STACK_POINTER_OFFSET);
      frame += SignalFrame.bytes(format);
    }
    writeControl(image, base, threadTable, listenDescriptor, channelDescriptor);
    return image;
  }

  private static ThreadState resumed(
      CloneThread thread, ByteBuffer image, int timespec, long base) {
    if (thread.waitNanos().isEmpty()) {
      return thread.state();
    }
    TimedWait.writeTimespec(image, timespec, thread.waitNanos().getAsLong());
    ThreadState state = thread.state();
    return state.with(TimedWait.waitingFor(state.registers(), base + timespec));
  }

  private void writeControl(
      ByteBuffer image, long base, int threadTable, int listenDescriptor, int channelDescriptor) {
    image.putLong(CONTROL, listenDescriptor);
    image.putLong(CONTROL + 0x08, base + MESSAGE_HEADER);
    image.putLong(CONTROL + 0x10, CONTROL_MESSAGE_BYTES);
    image.putLong(CONTROL + 0x18, base + REQUEST);
    image.putLong(CONTROL + 0x20, base + FIXED);
    image.putLong(CONTROL + 0x28, fixed.size());
    image.putLong(CONTROL + 0x30, base + threadTable);
    image.putLong(CONTROL + 0x38, threads.size());
    image.putLong(CONTROL + 0x50, channelDescriptor);
    image.putLong(CONTROL + 0x58, base + FAILURE_FRAME);
    image.putLong(CONTROL + 0x60, base + REPLY);
    image.putLong(MESSAGE_HEADER + 16, base + IO_VECTOR).putLong(MESSAGE_HEADER + 24, 1);
    image.putLong(MESSAGE_HEADER + 32, base + CONTROL_MESSAGE);
    image.putLong(IO_VECTOR, base + REQUEST).putLong(IO_VECTOR + 8, REQUEST_BYTES);
    image.put(FAILURE_FRAME + 3, (byte) STEP_FAILED_BODY);
    image.put(FAILURE_FRAME + 4, FrameCodec.STEP_FAILED_TYPE);
    if (namespaces != 0) {
      writeReplyMessage(image, base);
    }
  }

  /** Replies take the clone's pidfd along: its pid in the zygote's namespace says nothing here. */
  private static void writeReplyMessage(ByteBuffer image, long base) {
    image.putLong(CONTROL + 0x40, base + REPLY_HEADER);
    image.putLong(CONTROL + 0x48, base + PIDFD);
    image.putLong(REPLY_HEADER + 16, base + REPLY_VECTOR).putLong(REPLY_HEADER + 24, 1);
    image.putLong(REPLY_HEADER + 32, base + REPLY_CONTROL);
    image.putLong(REPLY_HEADER + 40, REPLY_CONTROL_BYTES);
    image.putLong(REPLY_VECTOR, base + REPLY).putLong(REPLY_VECTOR + 8, REPLY_BYTES);
    image.putLong(REPLY_CONTROL, REPLY_CONTROL_BYTES);
    image.putInt(REPLY_CONTROL + 8, SOL_SOCKET).putInt(REPLY_CONTROL + 12, SCM_RIGHTS);
  }

  private Operation makeThread(ThreadState thread) {
    if (namespaces != 0) {
      return Operation.of(
          "clone3",
          "thread " + thread.name(),
          CLONE3,
          CloneArguments.of(
              NEW_THREAD,
              thread.threadPointer() + threadIdOffset,
              thread.threadPointer(),
              thread.ownTid()),
          new Value(CloneArguments.BYTES));
    }
    return Operation.of(
        "clone",
        "thread " + thread.name(),
        (int) CLONE,
        new Value(NEW_THREAD),
        new Value(0),
        new Value(0),
        new Value(thread.threadPointer() + threadIdOffset),
        new Value(thread.threadPointer()));
  }

  /** The call that makes a clone, in a region at {@code base}. */
  CloneCall cloneCall(long base) {
    long leaderId = threads.get(0).state().threadPointer() + threadIdOffset;
    return namespaces == 0
        ? new CloneCall(NEW_PROCESS, 0, leaderId)
        : new CloneCall(NEW_PROCESS | CLONE_PIDFD | namespaces, base + PIDFD, leaderId);
  }

  /** Size of the request for a clone that replays a plan. */
  static int forkRequestBytes(ReplayPlan replay, Placement placement) {
    List<Operation> operations = placement.operations();
    int data =
        operations.stream().flatMap(o -> o.arguments().stream()).mapToInt(a -> a.dataBytes()).sum();
    return PLAIN_REQUEST_BYTES
        + operations.size() * Operation.BYTES
        + replay.ranges().size() * RANGE_BYTES
        + data
        + (placement.atBirth() ? CloneArguments.PROCESS_BYTES : 0);
  }

  /**
   * The request for one clone, without its id, which is the first 8 bytes.
   *
   * @param region where the fork server's region begins
   * @param call makes the process
   * @param replay what the clone touches before it waits for its first byte
   * @param placement how it gets into its control groups
   */
  static void writeForkRequest(
      ByteBuffer request, long region, CloneCall call, ReplayPlan replay, Placement placement) {
    List<Operation> operations = placement.operations();
    request.putLong(COMMAND_OFFSET, COMMAND_FORK).putLong(OPERATIONS_OFFSET, operations.size());
    request.putLong(RANGES_OFFSET, replay.ranges().size());
    int at = PLAIN_REQUEST_BYTES + operations.size() * Operation.BYTES;
    for (ReplayPlan.Range range : replay.ranges()) {
      request.putLong(at, range.start() | range.advice().number());
      request.putLong(at + Long.BYTES, range.bytes());
      at += RANGE_BYTES;
    }
    Operation makeProcess;
    if (placement.atBirth()) {
      long arguments = region + REQUEST + at;
      CloneArguments.writeProcess(request, at, call);
      request.putLong(DESCRIPTOR_PLACE_OFFSET, arguments + CloneArguments.CGROUP);
      at += CloneArguments.PROCESS_BYTES;
      makeProcess =
          Operation.of(
              "clone3",
              "the process",
              CLONE3,
              new Value(arguments),
              new Value(CloneArguments.PROCESS_BYTES));
    } else {
      makeProcess =
          Operation.of(
              "clone",
              "the process",
              (int) CLONE,
              new Value(call.flags()),
              new Value(0),
              new Value(call.pidfd()),
              new Value(call.leaderThreadId()),
              new Value(0));
    }
    Operation.Writer writer = new Operation.Writer(request, region, REQUEST, at);
    writer.write(makeProcess, MAKE_PROCESS_OFFSET);
    writer.write(operations, PLAIN_REQUEST_BYTES);
  }

  /** What a step of the request was; empty for one of the zygote's own. */
  static Optional<String> requestStepName(int step, Placement placement) {
    int index = step - (REQUEST + PLAIN_REQUEST_BYTES - CONTROL) / Operation.BYTES;
    return index >= 0 && index < placement.operations().size()
        ? Optional.of(named(placement.operations().get(index)))
        : Optional.empty();
  }

  private static String named(Operation operation) {
    return operation.name() + " (" + operation.detail() + ")";
  }

  /**
   * What the step of a StepFailed frame was; the routine counts in operations from the control
   * block.
   */
  List<String> stepNames() {
    List<String> names = new ArrayList<>();
    int first = (FIXED - CONTROL) / Operation.BYTES;
    for (int i = 0; i < first; i++) {
      names.add("an operation of the request");
    }
    fixed.forEach(operation -> names.add(named(operation)));
    for (CloneThread thread : threads) {
      names.add("clone (thread " + thread.state().name() + ")");
      names.add("clone (thread " + thread.state().name() + ")");
    }
    for (CloneThread thread : threads) {
      for (Operation operation : thread.operations()) {
        names.add(operation.name() + " (thread " + thread.state().name() + ")");
      }
    }
    return names;
  }
}
