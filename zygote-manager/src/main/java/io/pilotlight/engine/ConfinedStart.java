package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CHDIR;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.CLOSE_RANGE;
import static io.pilotlight.linux.Syscall.DUP2;
import static io.pilotlight.linux.Syscall.MMAP;
import static io.pilotlight.linux.Syscall.MPROTECT;
import static io.pilotlight.linux.Syscall.PRCTL;
import static io.pilotlight.linux.Syscall.RT_SIGACTION;
import static io.pilotlight.linux.Syscall.SETGROUPS;
import static io.pilotlight.linux.Syscall.SETRESGID;
import static io.pilotlight.linux.Syscall.SETRESUID;
import static io.pilotlight.linux.Syscall.UNSHARE;
import static io.pilotlight.linux.Uapi.CLONE_NEWNS;
import static io.pilotlight.linux.Uapi.MAP_PRIVATE_ANONYMOUS;
import static io.pilotlight.linux.Uapi.PROT_READ_EXEC;
import static io.pilotlight.linux.Uapi.PROT_READ_WRITE;
import static io.pilotlight.linux.Uapi.PR_SET_NAME;

import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.Registers;
import io.pilotlight.tracee.Registers.Name;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Starts programs in namespaces of their own, without a helper program: a shell that waits for its
 * first line is frozen, makes by injected system calls all that a program cannot make for itself,
 * and is then forked twice. The first child is the first process of the new PID namespace, the
 * keeper: it does nothing but exist, for the namespace ends with it. The second becomes the
 * program. The shell is killed.
 *
 * <p>Both are children of the calling process, and the program is not the first of its namespace:
 * so it can make siblings by CLONE_PARENT, which the kernel refuses to a first process, and whoever
 * started a zygote is the parent of its clones.
 *
 * <p>As root, what only root may do is done before the ids are given up; the user namespace is made
 * after that. An ordinary user makes it first, which lets him do the same. Outside of the user
 * namespace the program never has a privilege.
 *
 * <p>Everything happens on the calling thread, which must be a platform thread; the processes'
 * parent is that thread.
 */
public final class ConfinedStart {
  private static final List<String> SHELL = List.of("/bin/sh", "-c", "read line");

  private static final int PR_SET_DUMPABLE = 4;
  private static final int SIGCHLD = 17;
  private static final int SIG_IGN = 1;
  private static final int SIGSET_BYTES = 8;
  private static final int CLONE_PARENT = 0x8000;
  private static final int SCRATCH_BYTES = 64 << 10;

  /** For people who look at a keeper's command line; the name of its owner follows. */
  private static final String KEEPER = "pilotlight-namespace";

  private final Confinement confinement;
  private final ClockShift clocks;
  private final List<Integer> made = new ArrayList<>();
  private final List<Operation> ofKeeper;

  private ConfinedStart(Confinement confinement, ClockShift clocks, List<Operation> ofKeeper) {
    this.confinement = confinement;
    this.clocks = clocks;
    this.ofKeeper = ofKeeper;
  }

  /**
   * A program, and what it runs in. Both processes are children of this one.
   *
   * @param pid the program's process
   * @param keeperPid the first process of its PID namespace; to be killed when nothing else is left
   *     in there
   */
  public record Started(int pid, int keeperPid) {}

  /**
   * What is started.
   *
   * @param command absolute path of the program, and its arguments
   * @param environment all of it
   * @param directory its working directory
   * @param owner the last argument on the keeper's command line
   */
  public record Program(
      List<String> command, Map<String, String> environment, Path directory, String owner) {}

  /** What is done to the shell as soon as it is there: all that it forks inherits it. */
  @FunctionalInterface
  public interface Preparation {
    void prepare(int pid) throws IOException;
  }

  /**
   * Starts a program.
   *
   * @param preparation done first
   * @param descriptors what it gets as descriptor 0, 1, 2, ...; every other is closed in it
   * @throws IOException if the kernel refused a step, which it names; nothing is left then
   */
  public static Started start(
      Confinement confinement, Program program, Preparation preparation, List<Fd> descriptors)
      throws IOException {
    return new ConfinedStart(confinement, ClockShift.NONE, List.of())
        .start(program, preparation, descriptors, child -> {});
  }

  /**
   * Restores an image into a program that it starts: before the first instruction of that it is
   * made the fork server that the image was written of. Both processes end with the thread that
   * calls this.
   *
   * @param program the image's java launcher, without arguments
   * @param descriptors what it gets, as for {@link #start}; the last are those that {@link
   *     ImageEngine#sources} has opened
   * @param clocks how far its clocks are to be ahead of this process's
   * @throws IOException if a step failed, which it names; nothing is left then
   */
  public static Started restore(
      Confinement confinement,
      Program program,
      Preparation preparation,
      List<Fd> descriptors,
      ImageState state,
      ClockShift clocks)
      throws IOException {
    int firstSource = descriptors.size() - state.files().size() - 1;
    return new ConfinedStart(confinement, clocks, List.of(ForkServer.endsWithParent()))
        .start(
            program,
            preparation,
            descriptors,
            child -> new BlankProcess(child, state).become(firstSource, ClockShift.NONE));
  }

  /** What is done to a program that stands before its first instruction. */
  @FunctionalInterface
  private interface AtBegin {
    void run(FrozenProcess program) throws IOException;
  }

  private Started start(
      Program program, Preparation preparation, List<Fd> descriptors, AtBegin then)
      throws IOException {
    ProgramImage image = new ProgramImage(program.command(), program.environment());
    return inShell(
        program.owner(),
        preparation,
        descriptors,
        image.bytes(),
        true,
        (child, calls) -> {
          become(confinement, child, calls, program, image, descriptors.size());
          then.run(child);
        });
  }

  /**
   * Tries it out, without a program: all that a zygote does to be started, and what a clone of it
   * does while it has one thread. Nothing is left, whatever comes of it.
   *
   * @throws IOException if the kernel refused a step, which it names
   */
  public static void check(Confinement confinement) throws IOException {
    ConfinedStart start = new ConfinedStart(confinement, ClockShift.NONE, List.of());
    try (Fd nothing = OpenFile.readOnly(Path.of("/dev/null"))) {
      start.inShell("check", pid -> {}, List.of(nothing), 0, false, start::tryClone);
    }
  }

  private void tryClone(FrozenProcess process, RemoteCalls calls) throws IOException {
    // A program's start does that; without it a process that was root's cannot open its own /proc.
    calls.perform(
        Operation.of("prctl", "PR_SET_DUMPABLE", PRCTL, value(PR_SET_DUMPABLE), value(1)));
    calls.perform(OwnSteps.ofJvm(confinement));
    long flags = OwnSteps.namespaces(confinement) | (long) SIGCHLD;
    fork(
        process,
        calls,
        flags,
        "a process in namespaces of its own",
        (clone, own) -> {
          own.perform(OwnSteps.ofCloneFirst(confinement));
          own.perform(OwnSteps.ofCloneLast(confinement));
        });
  }

  /**
   * Does all with a shell.
   *
   * @param descriptors of the second child
   * @param argumentBytes how much room for arguments that needs
   * @param stays whether the children live on if all goes well
   */
  private Started inShell(
      String owner,
      Preparation preparation,
      List<Fd> descriptors,
      int argumentBytes,
      boolean stays,
      Child second)
      throws IOException {
    try (Sockets.Pair line = Sockets.streamPair()) {
      List<Fd> given = new ArrayList<>(descriptors);
      given.set(0, line.second());
      given.add(descriptors.get(0));
      List<String> command = new ArrayList<>(SHELL);
      command.addAll(List.of(KEEPER, owner));
      int shell = Processes.spawn(command, Map.of(), Path.of("/"), given);
      boolean complete = false;
      try {
        preparation.prepare(shell);
        Started started = run(shell, Math.max(SCRATCH_BYTES, argumentBytes), second);
        complete = true;
        return started;
      } finally {
        Processes.endChild(shell);
        if (!complete || !stays) {
          made.forEach(Processes::endChild);
        }
      }
    }
  }

  private Started run(int shell, int scratchBytes, Child second) throws IOException {
    FrozenProcess process = FrozenProcess.freeze(shell);
    try {
      RemoteCalls calls = RemoteCalls.in(process, scratchBytes);
      long code = mapCode(process);
      enterNamespaces(shell, calls);
      if (!clocks.isNone()) {
        // Both children are born in it.
        TimeNamespace.makeForChildren(process, clocks);
      }
      long sibling = CLONE_PARENT | SIGCHLD;
      int keeper =
          fork(
              process,
              calls,
              sibling,
              "the first process of a PID namespace",
              (child, own) -> keep(child, own, code));
      int pid = fork(process, calls, sibling, "the program's process", second);
      return new Started(pid, keeper);
    } finally {
      process.release();
    }
  }

  /** What becomes of a child, which it lets go. */
  @FunctionalInterface
  private interface Child {
    void run(FrozenProcess child, RemoteCalls calls) throws IOException;
  }

  private int fork(FrozenProcess process, RemoteCalls calls, long flags, String what, Child then)
      throws IOException {
    FrozenProcess child = process.fork(process.threads().get(0), what, flags);
    made.add(0, child.pid());
    try {
      then.run(child, calls.of(child));
      return child.pid();
    } finally {
      child.release();
    }
  }

  private static long mapCode(FrozenProcess process) throws IOException {
    ThreadState thread = process.threads().get(0);
    byte[] code = ResidentRoutine.code();
    int bytes = ResidentLayout.PAGE;
    long at =
        process.call(
            thread, "mmap", "code", MMAP, 0, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    process.memory().write(at, ByteBuffer.allocateDirect(code.length).put(0, code));
    process.call(thread, "mprotect", "code", MPROTECT, at, bytes, PROT_READ_EXEC);
    return at;
  }

  private void enterNamespaces(int shell, RemoteCalls calls) throws IOException {
    int all = OwnSteps.namespaces(confinement);
    int mine = OwnSteps.CLONE_NEWUSER | CLONE_NEWNS;
    if (Processes.userId() == 0) {
      calls.perform(unshare(CLONE_NEWNS, "mount namespace"));
      calls.perform(MountPlan.ofJvm(confinement));
      dropIds(calls);
      calls.perform(unshare(all, "user, PID, mount, IPC, UTS (and network) namespaces"));
      OwnSteps.mapIds(shell, confinement.userId(), confinement.groupId());
    } else {
      calls.perform(unshare(mine, "user and mount namespaces"));
      OwnSteps.mapIds(shell, confinement.userId(), confinement.groupId());
      calls.perform(MountPlan.ofJvm(confinement));
      calls.perform(unshare(all & ~mine, "PID, IPC, UTS (and network) namespaces"));
    }
  }

  private static Operation unshare(int flags, String detail) {
    return Operation.of("unshare", detail, UNSHARE, value(flags));
  }

  private void dropIds(RemoteCalls calls) throws IOException {
    int user = confinement.userId();
    int group = confinement.groupId();
    calls.perform(Operation.of("setgroups", "none", SETGROUPS, value(0), value(0)));
    calls.perform(
        Operation.of("setresgid", "" + group, SETRESGID, value(group), value(group), value(group)));
    calls.perform(
        Operation.of("setresuid", "" + user, SETRESUID, value(user), value(user), value(user)));
  }

  /**
   * The keeper ignores the ends of its children, which has the kernel reap them: those of a
   * function's processes that outlive their parents become its own.
   */
  private void keep(FrozenProcess keeper, RemoteCalls calls, long code) throws IOException {
    ByteBuffer ignore = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
    ignore.putLong(0, SIG_IGN);
    calls.perform(
        List.of(
            Operation.of(
                "rt_sigaction",
                "SIGCHLD",
                RT_SIGACTION,
                value(SIGCHLD),
                new Bytes(ignore.array()),
                value(0),
                value(SIGSET_BYTES)),
            Operation.of(
                "close_range", "all", CLOSE_RANGE, value(0), value(0xffff_ffffL), value(0)),
            Operation.of(
                "prctl", "PR_SET_NAME", PRCTL, value(PR_SET_NAME), new Text("pilotlight-ns")),
            OwnSteps.dropCapabilities()));
    calls.perform(ofKeeper);
    Registers registers = keeper.threads().get(0).registers().copy().set(Name.ORIG_RAX, -1);
    registers.set(Name.RIP, code + ResidentRoutine.PARK);
    keeper.leaveAt(registers, code + ResidentRoutine.PARK);
  }

  private static void become(
      Confinement confinement,
      FrozenProcess process,
      RemoteCalls calls,
      Program program,
      ProgramImage image,
      int firstDescriptor)
      throws IOException {
    calls.perform(Operation.of("dup2", "stdin", DUP2, value(firstDescriptor), value(0)));
    calls.perform(Operation.of("close", "stdin", CLOSE, value(firstDescriptor)));
    calls.perform(OwnSteps.ofJvm(confinement));
    String directory = program.directory().toString();
    calls.perform(Operation.of("chdir", directory, CHDIR, new Text(directory)));
    long at = calls.scratch();
    process.memory().write(at, image.at(at));
    process.exec(
        process.threads().get(0),
        program.command().get(0),
        image.path(at),
        at,
        image.environment(at));
  }
}
