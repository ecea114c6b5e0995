package io.pilotlight.engine;

import static io.pilotlight.linux.Syscall.UNSHARE;

import io.pilotlight.linux.Errno;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Gives a process clocks that are ahead of the machine's; see time_namespaces(7). What was frozen
 * on a machine that had been up for longer keeps deadlines by the monotonic clock: with a lower one
 * it would wait for the difference. Stateless; a call belongs to the thread that traces the
 * process.
 *
 * <p>The namespace is made for the children of a process, and entered by these, or by that process
 * itself with setns(2) while it has one thread. Its clocks are set before anybody is in it.
 */
public final class TimeNamespace {
  static final int CLONE_NEWTIME = 0x80;

  /** Where a process finds the one for its children. */
  static final String FOR_CHILDREN = "/proc/self/ns/time_for_children";

  private TimeNamespace() {}

  /** The kernel did not give the process a clock of its own. */
  public static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    RefusedException(ClockShift shift, IOException cause) {
      super(
          "the clocks of the image are "
              + shift
              + " ahead of this machine's, and it cannot have a time namespace: "
              + cause.getMessage(),
          cause);
    }
  }

  /** Whether this kernel has any. */
  public static boolean supported() {
    return Files.exists(Path.of(FOR_CHILDREN));
  }

  /** How far the clocks of a process are ahead of this one's; none if it has ended. */
  public static ClockShift ahead(int pid) {
    return offsets(pid).minus(own());
  }

  private static ClockShift own() {
    return offsets((int) ProcessHandle.current().pid());
  }

  private static ClockShift offsets(int pid) {
    return new ClockShift(
        ProcFs.clockOffsetNanos(pid, "monotonic"), ProcFs.clockOffsetNanos(pid, "boottime"));
  }

  /**
   * Makes one for the children of a process. Needs CAP_SYS_ADMIN there; without it the process gets
   * a user namespace too, in which it has all capabilities.
   *
   * @param process has one thread
   * @return whether it has a user namespace of its own now
   */
  static boolean makeForChildren(FrozenProcess process, ClockShift shift) throws RefusedException {
    try {
      ThreadState thread = process.threads().get(0);
      long result = process.syscall(thread, UNSHARE, CLONE_NEWTIME);
      boolean own = result == -Errno.EPERM;
      if (own) {
        process.call(
            thread,
            "unshare",
            "user and time namespaces",
            UNSHARE,
            OwnSteps.CLONE_NEWUSER | CLONE_NEWTIME);
        OwnSteps.mapIds(process.pid(), Processes.userId(), Processes.groupId());
      } else if (result < 0) {
        throw new KernelException(
            "unshare", "time namespace, in process " + process.pid(), (int) -result);
      }
      // The kernel takes them relative to the machine's clocks, not to this process's.
      Files.writeString(
          Path.of("/proc/" + process.pid() + "/timens_offsets"),
          shift.plus(own()).offsets(),
          StandardCharsets.US_ASCII,
          StandardOpenOption.WRITE);
      return own;
    } catch (IOException e) {
      throw new RefusedException(shift, e);
    }
  }
}
