package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.DUP3;
import static io.pilotlight.linux.Syscall.FCNTL;
import static io.pilotlight.linux.Syscall.MADVISE;
import static io.pilotlight.linux.Syscall.MMAP;
import static io.pilotlight.linux.Syscall.MPROTECT;
import static io.pilotlight.linux.Syscall.MREMAP;
import static io.pilotlight.linux.Syscall.MUNMAP;
import static io.pilotlight.linux.Syscall.OPEN;
import static io.pilotlight.linux.Syscall.PRCTL;
import static io.pilotlight.linux.Syscall.PREAD64;
import static io.pilotlight.linux.Syscall.PRLIMIT64;
import static io.pilotlight.linux.Syscall.RSEQ;
import static io.pilotlight.linux.Syscall.SETNS;
import static io.pilotlight.linux.Syscall.SETPRIORITY;
import static io.pilotlight.linux.Syscall.SOCKETPAIR;
import static io.pilotlight.linux.Uapi.AF_UNIX;
import static io.pilotlight.linux.Uapi.F_DUPFD_CLOEXEC;
import static io.pilotlight.linux.Uapi.MREMAP_MAYMOVE_FIXED;
import static io.pilotlight.linux.Uapi.O_CLOEXEC;
import static io.pilotlight.linux.Uapi.PROT_EXEC;
import static io.pilotlight.linux.Uapi.PROT_READ;
import static io.pilotlight.linux.Uapi.PROT_WRITE;
import static io.pilotlight.linux.Uapi.PR_SET_NAME;
import static io.pilotlight.linux.Uapi.PR_SET_TIMERSLACK;

import io.pilotlight.engine.ImageState.Area;
import io.pilotlight.engine.ImageState.KernelArea;
import io.pilotlight.engine.ImageState.Source;
import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.engine.Residence.KeptDescriptor;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcFs.Mapping;
import io.pilotlight.linux.ProcFs.MemoryLayout;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.Registers;
import io.pilotlight.tracee.Registers.Name;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A process stopped before its program's first instruction, which is made the fork server of an
 * image: it is emptied, gets the image's memory mapped where it was, and goes on in the image's
 * routine.
 *
 * <p>What it runs meanwhile lies in a workbench, at an address that the image leaves free: the
 * routine, a table of system calls, and room to move the vdso by way of.
 */
final class BlankProcess {
  private static final int MAP_SHARED = 0x01;
  private static final int MAP_PRIVATE = 0x02;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_GROWSDOWN = 0x100;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MAP_FIXED_NOREPLACE = 0x100000;
  private static final int PR_SET_MM = 35;
  private static final int PR_SET_MM_MAP = 14;
  private static final int RLIMIT_NOFILE = 7;
  private static final int SOCK_STREAM_CLOEXEC = 1 | 0x80000;

  /** Size of struct prctl_mm_map. */
  private static final int MM_MAP_BYTES = 104;

  private static final int TABLE = ResidentLayout.PAGE;
  private static final int TRANSIT = ImageEngine.WORKBENCH_BYTES / 2;
  private static final int TABLE_BYTES = TRANSIT - TABLE;

  /** A page for what a call points at, and the table does not hold. */
  private static final int SPARE = ImageEngine.WORKBENCH_BYTES - ResidentLayout.PAGE;

  private final FrozenProcess process;
  private final ThreadState leader;
  private final ImageState state;
  private final long workbench;
  private final OperationBatch batch;

  BlankProcess(FrozenProcess process, ImageState state) {
    this.process = process;
    this.leader = process.threads().get(0);
    this.state = state;
    this.workbench = state.workbench();
    this.batch = new OperationBatch(process, leader, workbench, workbench + TABLE, TABLE_BYTES);
  }

  /**
   * Does it, and lets the process go.
   *
   * @param firstSource the descriptor of the state's first file; the others follow in their order,
   *     then the image's pages. What is mapped is what the caller has looked at, also where the
   *     process could not open it
   * @param clocks how far its clocks are to be ahead of this process's
   */
  void become(int firstSource, ClockShift clocks) throws IOException {
    setUpWorkbench();
    if (!clocks.isNone()) {
      enterTimeNamespace(clocks);
    }
    int[] opened = raise(firstSource, state.files().size() + 1);
    placeDescriptors();
    boolean executable = executable(opened[opened.length - 1]);
    List<KernelArea> given = ImageEngine.kernelAreas(process.pid());
    empty();
    moveKernelAreas(given);
    mapAreas(opened, executable);
    List<Operation> rest = new ArrayList<>(identity());
    for (int number : opened) {
      rest.add(Operation.of("close", "file " + number, CLOSE, value(number)));
    }
    batch.runChecked(rest);
    leave();
  }

  private void setUpWorkbench() throws IOException {
    process.call(
        leader,
        "mmap",
        "the workbench at 0x" + Long.toHexString(workbench),
        MMAP,
        workbench,
        ImageEngine.WORKBENCH_BYTES,
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
        -1,
        0);
    byte[] code = ResidentRoutine.code();
    process.memory().write(workbench, ByteBuffer.allocateDirect(code.length).put(0, code));
    process.call(
        leader,
        "mprotect",
        "the workbench's code",
        MPROTECT,
        workbench,
        ResidentLayout.PAGE,
        PROT_READ | PROT_EXEC);
  }

  /** While its vdso is still where the kernel has put it: that changes its pages. */
  private void enterTimeNamespace(ClockShift clocks) throws IOException {
    boolean inUserNamespace = TimeNamespace.makeForChildren(process, clocks);
    int namespace = open(TimeNamespace.FOR_CHILDREN, 0);
    process.call(leader, "setns", "time namespace", SETNS, namespace, TimeNamespace.CLONE_NEWTIME);
    List<Operation> rest = new ArrayList<>();
    rest.add(Operation.of("close", "time namespace", CLOSE, value(namespace)));
    if (inUserNamespace) {
      rest.add(OwnSteps.dropCapabilities());
    }
    batch.runChecked(rest);
  }

  /**
   * Something stands under each number that a clone puts its own under, so that what it opens on
   * the way never gets such a number.
   */
  private void placeDescriptors() throws IOException {
    List<Operation> places = new ArrayList<>();
    for (KeptDescriptor kept : state.residence().descriptors()) {
      places.add(dup(0, kept.number(), O_CLOEXEC, "descriptor " + kept.number()));
    }
    batch.runChecked(places);
    for (KeptDescriptor kept : state.residence().descriptors()) {
      if (kept.kind() == KeptDescriptor.Kind.NAMED) {
        move(open(kept.target(), kept.flags()), kept);
      } else if (kept.kind() == KeptDescriptor.Kind.DEAD_END) {
        move(deadEnd(), kept);
      }
    }
  }

  private void move(int number, KeptDescriptor kept) throws IOException {
    String detail = "descriptor " + kept.number();
    batch.runChecked(
        List.of(
            dup(number, kept.number(), kept.flags() & O_CLOEXEC, detail),
            Operation.of("close", detail, CLOSE, value(number))));
  }

  private static Operation dup(int from, int to, int flags, String detail) {
    return Operation.of("dup3", detail, DUP3, value(from), value(to), value(flags));
  }

  private int open(String path, int flags) throws IOException {
    Operation open =
        Operation.of("open", path, OPEN, new Text(path), value(flags | O_CLOEXEC), value(0));
    return batch.runChecked(List.of(open))[0];
  }

  private int deadEnd() throws IOException {
    long pair = workbench + SPARE;
    process.call(
        leader, "socketpair", "a dead end", SOCKETPAIR, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair);
    ByteBuffer numbers = process.memory().read(pair, 2 * Integer.BYTES);
    batch.runChecked(
        List.of(Operation.of("close", "other end", CLOSE, value(numbers.getInt(Integer.BYTES)))));
    return numbers.getInt(0);
  }

  /** Descriptors get numbers that are above all which a clone puts its own under. */
  private int[] raise(int first, int count) throws IOException {
    int free =
        state.residence().descriptors().stream()
            .mapToInt(kept -> kept.number() + 1)
            .reduce(first + count, Math::max);
    List<Operation> copies = new ArrayList<>();
    List<Operation> ends = new ArrayList<>();
    for (int number = first; number < first + count; number++) {
      String detail = "file " + number + " of the image";
      copies.add(
          Operation.of("fcntl", detail, FCNTL, value(number), value(F_DUPFD_CLOEXEC), value(free)));
      ends.add(Operation.of("close", detail, CLOSE, value(number)));
    }
    int[] numbers = batch.runChecked(copies);
    batch.runChecked(ends);
    return numbers;
  }

  /** From here on no call may be made that needs the vdso. */
  private void empty() throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (Mapping mapping : ProcFs.mappings(process.pid())) {
      boolean ofKernel = mapping.path().startsWith("[v");
      boolean ours =
          mapping.start() < workbench + ImageEngine.WORKBENCH_BYTES && workbench < mapping.end();
      if (!ofKernel && !ours) {
        operations.add(unmap(mapping.start(), mapping.end() - mapping.start()));
      }
    }
    batch.runChecked(operations);
  }

  private static Operation unmap(long start, long bytes) {
    return Operation.of("munmap", Long.toHexString(start), MUNMAP, value(start), value(bytes));
  }

  /** By way of the workbench: old and new place may overlap. */
  private void moveKernelAreas(List<KernelArea> given) throws IOException {
    List<KernelArea> wanted = state.kernelAreas();
    List<Operation> operations = new ArrayList<>();
    long transit = workbench + TRANSIT;
    for (KernelArea area : given) {
      operations.add(remap(area, area.start(), transit));
      transit += area.bytes();
    }
    transit = workbench + TRANSIT;
    for (int i = 0; i < given.size(); i++) {
      operations.add(remap(given.get(i), transit, wanted.get(i).start()));
      transit += given.get(i).bytes();
    }
    batch.runChecked(operations);
  }

  private static Operation remap(KernelArea area, long from, long to) {
    return Operation.of(
        "mremap",
        area.name(),
        MREMAP,
        value(from),
        value(area.bytes()),
        value(area.bytes()),
        value(MREMAP_MAYMOVE_FIXED),
        value(to));
  }

  private void mapAreas(int[] opened, boolean executable) throws IOException {
    int pages = opened[opened.length - 1];
    List<Operation> operations = new ArrayList<>();
    for (Area area : state.areas()) {
      Source source = source(area, executable);
      boolean copied = source == Source.COPIED_PAGES || source == Source.STACK;
      int first = copied ? PROT_READ | PROT_WRITE : area.protection();
      int descriptor =
          switch (source) {
            case NOTHING, COPIED_PAGES, STACK -> -1;
            case PAGES -> pages;
            case FILE, SHARED_FILE -> opened[area.file()];
          };
      String detail = detail(area);
      operations.add(
          Operation.of(
              "mmap",
              detail,
              MMAP,
              value(area.start()),
              value(area.bytes()),
              value(first),
              value(mapFlags(source)),
              value(descriptor),
              value(descriptor < 0 ? 0 : area.offset())));
      for (int advice : area.advice()) {
        operations.add(
            Operation.of(
                    "madvise",
                    detail,
                    MADVISE,
                    value(area.start()),
                    value(area.bytes()),
                    value(advice))
                .orIgnore());
      }
      if (copied) {
        operations.add(
            Operation.of(
                "pread64",
                detail,
                PREAD64,
                value(pages),
                value(area.start()),
                value(area.bytes()),
                value(area.offset())));
        operations.add(
            Operation.of(
                "mprotect",
                detail,
                MPROTECT,
                value(area.start()),
                value(area.bytes()),
                value(area.protection())));
      }
    }
    batch.runChecked(operations);
  }

  /** Code is not mapped from a file system that is mounted noexec, but may be read from it. */
  private boolean executable(int pages) throws IOException {
    long at =
        process.syscall(
            leader, MMAP, 0, ResidentLayout.PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, pages, 0);
    if (at < 0) {
      return false;
    }
    process.call(leader, "munmap", "a page", MUNMAP, at, ResidentLayout.PAGE);
    return true;
  }

  private static Source source(Area area, boolean executable) {
    boolean code = (area.protection() & PROT_EXEC) != 0;
    return area.source() == Source.PAGES && code && !executable
        ? Source.COPIED_PAGES
        : area.source();
  }

  private String detail(Area area) {
    String from =
        switch (area.source()) {
          case NOTHING -> "empty memory";
          case PAGES, COPIED_PAGES, STACK -> "pages of the image";
          case FILE, SHARED_FILE -> state.files().get(area.file());
        };
    return area.bytes() + " bytes of " + from + " at 0x" + Long.toHexString(area.start());
  }

  /** Nothing is there any more: what an area would cover is not taken from anybody in silence. */
  private static int mapFlags(Source source) {
    return switch (source) {
      case PAGES, FILE -> MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE;
      case SHARED_FILE -> MAP_SHARED | MAP_FIXED_NOREPLACE;
      case NOTHING, COPIED_PAGES ->
          MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE | MAP_ANONYMOUS;
      case STACK ->
          MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE | MAP_ANONYMOUS | MAP_GROWSDOWN;
    };
  }

  /** What a clone inherits from its fork server's process and leader. */
  private List<Operation> identity() throws IOException {
    List<Operation> operations = new ArrayList<>();
    state.residence().signalActions().forEach(a -> operations.add(SignalActions.set(a)));
    operations.add(
        Operation.of(
            "prctl",
            "PR_SET_MM_MAP",
            PRCTL,
            value(PR_SET_MM),
            value(PR_SET_MM_MAP),
            new Bytes(memoryMap()),
            value(MM_MAP_BYTES)));
    Residence.Leader was = state.residence().leader();
    if (was.rseqAddress() != 0) {
      operations.add(
          Operation.of(
              "rseq",
              "register",
              RSEQ,
              value(was.rseqAddress()),
              value(was.rseqBytes()),
              value(0),
              value(was.rseqSignature())));
    }
    operations.add(
        Operation.of("prctl", "PR_SET_NAME", PRCTL, value(PR_SET_NAME), new Text(was.name())));
    operations.add(
        Operation.of("setpriority", "nice", SETPRIORITY, value(0), value(0), value(was.nice()))
            .orIgnore());
    if (was.timerSlackNanos() >= 0) {
      operations.add(
          Operation.of(
              "prctl",
              "PR_SET_TIMERSLACK",
              PRCTL,
              value(PR_SET_TIMERSLACK),
              value(was.timerSlackNanos())));
    }
    if (state.maxDescriptors() >= 0) {
      ByteBuffer limit = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
      limit.putLong(state.maxDescriptors()).putLong(state.maxDescriptors());
      operations.add(
          Operation.of(
                  "prlimit64",
                  "RLIMIT_NOFILE",
                  PRLIMIT64,
                  value(0),
                  value(RLIMIT_NOFILE),
                  new Bytes(limit.array()),
                  value(0))
              .orIgnore());
    }
    // The image outlives the daemon; this process need not.
    operations.add(ForkServer.endsWithParent());
    return operations;
  }

  private byte[] memoryMap() throws IOException {
    byte[] vector = Base64.getDecoder().decode(state.auxiliaryVector());
    ByteBuffer copy = ByteBuffer.allocateDirect(vector.length).put(0, vector);
    process.memory().write(workbench + SPARE, copy);
    MemoryLayout was = state.layout();
    ByteBuffer map = ByteBuffer.allocate(MM_MAP_BYTES).order(ByteOrder.nativeOrder());
    map.putLong(was.startCode()).putLong(was.endCode());
    map.putLong(was.startData()).putLong(was.endData());
    map.putLong(was.startBrk()).putLong(state.residence().brk()).putLong(was.startStack());
    map.putLong(was.argStart()).putLong(was.argEnd());
    map.putLong(was.envStart()).putLong(was.envEnd());
    map.putLong(workbench + SPARE).putInt(vector.length).putInt(-1);
    return map.array();
  }

  /** The workbench goes last, by the routine of the region. */
  private void leave() throws IOException {
    long region = state.residence().region();
    new OperationBatch(
            process, leader, region, region + ResidentLayout.BATCH, ResidentLayout.REQUEST_BYTES)
        .runChecked(List.of(unmap(workbench, ImageEngine.WORKBENCH_BYTES)));
    Registers registers = leader.registers().copy().set(Name.ORIG_RAX, -1);
    registers.set(Name.RIP, region + ResidentRoutine.SERVE);
    registers.set(Name.RDI, region + ResidentLayout.CONTROL);
    registers.set(Name.FS_BASE, state.residence().leader().threadPointer());
    process.leaveAt(registers, region + ResidentRoutine.PARK);
  }
}
