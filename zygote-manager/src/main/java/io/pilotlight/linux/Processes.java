package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.CLONE3;
import static io.pilotlight.linux.Syscall.GETEGID;
import static io.pilotlight.linux.Syscall.GETEUID;
import static io.pilotlight.linux.Syscall.KILL;
import static io.pilotlight.linux.Syscall.PIDFD_GETFD;
import static io.pilotlight.linux.Syscall.PIDFD_OPEN;
import static io.pilotlight.linux.Syscall.PIDFD_SEND_SIGNAL;
import static io.pilotlight.linux.Syscall.PRCTL;
import static io.pilotlight.linux.Syscall.PRLIMIT64;
import static io.pilotlight.linux.Syscall.WAIT4;
import static io.pilotlight.linux.Syscall.WAITID;
import static io.pilotlight.linux.Uapi.SIGKILL;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Starting, watching, signalling and reaping processes. See posix_spawn(3), pidfd_open(2),
 * waitid(2). Thread-safe.
 *
 * <p>Nothing here goes through {@link ProcessBuilder}: the JDK reaps its own children by pid, and
 * would take the ptrace stops of a child that is being traced.
 */
public final class Processes {

  private static final int WALL = 0x40000000;
  private static final int P_PIDFD = 3;
  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int PR_SET_CHILD_SUBREAPER = 36;
  private static final int CLD_EXITED = 1;

  /** POSIX_SPAWN_SETSIGDEF, SETSIGMASK, SETSID. */
  private static final short SPAWN_FLAGS = 0x04 | 0x08 | 0x80;

  /** Larger than glibc's posix_spawnattr_t (336) and posix_spawn_file_actions_t (80). */
  private static final int OPAQUE_BYTES = 512;

  private static final int SIGSET_BYTES = 128;

  private static int subreapers;

  private Processes() {}

  /** What setrlimit(2) limits: the numbers of Linux on x86-64. */
  public enum Resource {
    /** Size of a file that it writes, in bytes. */
    FSIZE(1),
    /** Private writable memory, in bytes, whether it has been touched or not. */
    DATA(2),
    /** Threads of its user. */
    NPROC(6),
    /** Descriptors. */
    NOFILE(7);

    private final int number;

    Resource(int number) {
      this.number = number;
    }
  }

  /** How a process ended: the low level of wait(2). */
  public record Ended(boolean exited, int codeOrSignal) {}

  /**
   * Starts a program as the leader of a session of its own, with default signal actions and nothing
   * blocked.
   *
   * @param command absolute path of the program, and its arguments
   * @param environment all of it
   * @param directory its working directory
   * @param descriptors what it gets as descriptor 0, 1, 2, ...; every other descriptor is closed in
   *     it
   * @return its pid; it is a child of this process
   */
  public static int spawn(
      List<String> command, Map<String, String> environment, Path directory, List<Fd> descriptors)
      throws KernelException {
    String program = command.get(0);
    List<Memory> kept = new ArrayList<>();
    Pointer argv = strings(command, kept);
    List<String> variables = new ArrayList<>();
    environment.forEach((name, value) -> variables.add(name + "=" + value));
    Pointer envp = strings(variables, kept);
    Memory actions = new Memory(OPAQUE_BYTES);
    Memory attributes = new Memory(OPAQUE_BYTES);
    Memory signals = new Memory(SIGSET_BYTES);
    Memory pid = new Memory(4);
    checkSpawn(Kernel.posix_spawn_file_actions_init(actions), program);
    checkSpawn(Kernel.posix_spawnattr_init(attributes), program);
    try {
      // First beyond the range that is written, so that no source is overwritten before it is
      // copied.
      int count = descriptors.size();
      for (int i = 0; i < count; i++) {
        checkSpawn(
            Kernel.posix_spawn_file_actions_adddup2(
                actions, descriptors.get(i).number(), SPARE_DESCRIPTOR + i),
            program);
      }
      for (int i = 0; i < count; i++) {
        checkSpawn(
            Kernel.posix_spawn_file_actions_adddup2(actions, SPARE_DESCRIPTOR + i, i), program);
      }
      checkSpawn(Kernel.posix_spawn_file_actions_addclosefrom_np(actions, count), program);
      checkSpawn(
          Kernel.posix_spawn_file_actions_addchdir_np(
              actions, Kernel.cString(directory.toString())),
          program);
      checkSpawn(Kernel.posix_spawnattr_setflags(attributes, SPAWN_FLAGS), program);
      signals.clear();
      checkSpawn(Kernel.posix_spawnattr_setsigmask(attributes, signals), program);
      signals.setMemory(0, SIGSET_BYTES, (byte) 0xff);
      checkSpawn(Kernel.posix_spawnattr_setsigdefault(attributes, signals), program);
      checkSpawn(
          Kernel.posix_spawn(pid, Kernel.cString(program), actions, attributes, argv, envp),
          program);
      return pid.getInt(0);
    } finally {
      Kernel.posix_spawn_file_actions_destroy(actions);
      Kernel.posix_spawnattr_destroy(attributes);
      Reference.reachabilityFence(kept);
    }
  }

  private static final int SPARE_DESCRIPTOR = 500;

  private static void checkSpawn(int result, String program) throws KernelException {
    if (result != 0) {
      throw new KernelException("posix_spawn", program, result);
    }
  }

  private static Pointer strings(List<String> values, List<Memory> kept) {
    Memory array = new Memory(8L * (values.size() + 1));
    for (int i = 0; i < values.size(); i++) {
      Memory value = Kernel.string(values.get(i));
      kept.add(value);
      array.setPointer(8L * i, value);
    }
    array.setPointer(8L * values.size(), Pointer.NULL);
    kept.add(array);
    return array;
  }

  /**
   * Makes orphaned descendants children of this process, so that they can be reaped here; see
   * prctl(2).
   */
  public static synchronized void becomeSubreaper() throws KernelException {
    subreaper(1);
    subreapers++;
  }

  /** Ends {@link #becomeSubreaper}, for whoever has called that last. */
  public static synchronized void resignAsSubreaper() throws KernelException {
    subreapers--;
    if (subreapers == 0) {
      subreaper(0);
    }
  }

  private static void subreaper(int is) throws KernelException {
    Kernel.check(Kernel.call(PRCTL, PR_SET_CHILD_SUBREAPER, is), "prctl", "PR_SET_CHILD_SUBREAPER");
  }

  /**
   * A descriptor that stands for the process, whatever becomes of its pid; empty if there is no
   * such process.
   */
  public static Optional<Fd> pidfd(int pid) throws KernelException {
    long result = Kernel.call(PIDFD_OPEN, pid, 0);
    if (result == -Errno.ESRCH || result == -Errno.EINVAL) {
      return Optional.empty();
    }
    return Optional.of(new Fd(Kernel.check(result, "pidfd_open", "pid " + pid)));
  }

  /** The user as whom this process acts. */
  public static int userId() {
    return (int) Kernel.call(GETEUID);
  }

  /** The group as which this process acts. */
  public static int groupId() {
    return (int) Kernel.call(GETEGID);
  }

  /**
   * The pid of the process that a descriptor stands for, in this process's PID namespace; empty if
   * it has been reaped. Once that has happened the number may be another process's.
   */
  public static Optional<Integer> pid(Fd pidfd) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + pidfd.number()))) {
      if (line.startsWith("Pid:")) {
        int pid = Integer.parseInt(line.substring("Pid:".length()).strip());
        return pid > 0 ? Optional.of(pid) : Optional.empty();
      }
    }
    throw new IOException("descriptor " + pidfd.number() + " stands for no process");
  }

  /**
   * A duplicate of another process's descriptor; see pidfd_getfd(2). Needs the right to trace it.
   *
   * @throws KernelException ESRCH if the process has ended
   */
  public static Fd takeDescriptor(int pid, int number) throws KernelException {
    try (Fd process =
        pidfd(pid)
            .orElseThrow(() -> new KernelException("pidfd_open", "pid " + pid, Errno.ESRCH))) {
      return new Fd(
          Kernel.check(
              Kernel.call(PIDFD_GETFD, process.number(), number, 0),
              "pidfd_getfd",
              "descriptor " + number + " of process " + pid));
    }
  }

  /**
   * Limits a process and all that it will fork, softly and hard; a value above its hard limit is
   * that one. See prlimit(2). Nothing happens if the process has ended.
   *
   * @param pid a child that has not been reaped
   */
  public static void limit(int pid, Resource resource, long value) throws KernelException {
    ByteBuffer limits = Kernel.scratch();
    String detail = "pid " + pid + ", RLIMIT_" + resource;
    long result = Kernel.call(PRLIMIT64, pid, resource.number, 0, Kernel.address(limits));
    if (result == -Errno.ESRCH) {
      return;
    }
    Kernel.check(result, "prlimit64", detail);
    // Unlimited is the largest unsigned number.
    long hard = limits.getLong(8);
    long allowed = Long.compareUnsigned(value, hard) < 0 ? value : hard;
    limits.putLong(0, allowed).putLong(8, allowed);
    result = Kernel.call(PRLIMIT64, pid, resource.number, Kernel.address(limits), 0);
    Reference.reachabilityFence(limits);
    if (result != -Errno.ESRCH) {
      Kernel.check(result, "prlimit64", detail + ", " + value);
    }
  }

  /** The soft limit of this process; empty if there is none. */
  public static OptionalLong limit(Resource resource) throws KernelException {
    ByteBuffer limits = Kernel.scratch();
    Kernel.check(
        Kernel.call(PRLIMIT64, 0, resource.number, 0, Kernel.address(limits)),
        "prlimit64",
        "RLIMIT_" + resource);
    long soft = limits.getLong(0);
    return soft == -1 ? OptionalLong.empty() : OptionalLong.of(soft);
  }

  /**
   * Whether clone3(2) can be used, by which a process is born in a control group: filters of
   * container runtimes answer ENOSYS to it.
   */
  public static boolean hasClone3() {
    return Kernel.call(CLONE3, 0, 0) != -Errno.ENOSYS;
  }

  /** Sends a signal; false if the process has ended already. */
  public static boolean signal(Fd pidfd, int signal) throws KernelException {
    long result = Kernel.call(PIDFD_SEND_SIGNAL, pidfd.number(), signal, 0, 0);
    if (result == -Errno.ESRCH) {
      return false;
    }
    Kernel.check(result, "pidfd_send_signal", "signal " + signal);
    return true;
  }

  /**
   * Kills by pid. Only for a child of this process that has not been reaped, whose pid can
   * therefore not be another's.
   */
  public static void killChild(int pid) {
    Kernel.call(KILL, pid, SIGKILL);
  }

  /** Kills a child by pid and waits until it has ended, whether it is traced or not. */
  public static void endChild(int pid) {
    killChild(pid);
    Kernel.call(WAIT4, pid, 0, WALL, 0);
  }

  /**
   * Reaps a child without waiting.
   *
   * @return how it ended; empty if it has not, or is not (or no longer) a child of this process
   */
  public static Optional<Ended> reap(Fd pidfd) throws KernelException {
    ByteBuffer info = Kernel.scratch();
    info.putInt(0, 0);
    long result =
        Kernel.call(WAITID, P_PIDFD, pidfd.number(), Kernel.address(info), WEXITED | WNOHANG, 0, 0);
    Reference.reachabilityFence(info);
    if (result == -Errno.ECHILD) {
      return Optional.empty();
    }
    Kernel.check(result, "waitid", "P_PIDFD");
    int signo = info.getInt(0);
    if (signo == 0) {
      return Optional.empty();
    }
    return Optional.of(new Ended(info.getInt(8) == CLD_EXITED, info.getInt(24)));
  }
}
