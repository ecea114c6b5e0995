package io.pilotlight.it.faults;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;

/**
 * The system calls that are made to freeze a JVM, to fork it, and by a clone to become itself; each
 * with the error numbers that its man page names and that can befall a correct caller. Not ECHILD,
 * which would be a lie about a child that is there.
 */
final class Calls {
  static final int PTRACE = 101;
  static final int CLONE = 56;
  static final int READ = 0;
  static final int WAIT4 = 61;
  static final int PRCTL = 157;
  static final int RECVMSG = 47;
  static final int POLL = 7;
  static final int MADVISE = 28;
  static final int SET_ROBUST_LIST = 273;

  private static final int EPERM = 1;
  private static final int ENOENT = 2;
  private static final int ESRCH = 3;
  private static final int EINTR = 4;
  private static final int EIO = 5;
  private static final int EBADF = 9;
  private static final int EAGAIN = 11;
  private static final int ENOMEM = 12;
  private static final int EACCES = 13;
  private static final int EFAULT = 14;
  private static final int EBUSY = 16;
  private static final int EEXIST = 17;
  private static final int ENODEV = 19;
  private static final int EINVAL = 22;
  private static final int ENFILE = 23;
  private static final int EMFILE = 24;
  private static final int ENOSPC = 28;
  private static final int EPIPE = 32;
  private static final int ENOSYS = 38;
  private static final int ECONNABORTED = 103;
  private static final int ECONNRESET = 104;
  private static final int ENOBUFS = 105;
  private static final int ETOOMANYREFS = 109;

  private Calls() {}

  /**
   * A system call.
   *
   * @param name as in messages
   * @param errors that it is made to fail with
   */
  record Errors(String name, List<Integer> errors) {}

  static final Map<Integer, Errors> ALL =
      Map.ofEntries(
          entry(READ, new Errors("read", List.of(EINTR, EIO, ECONNRESET))),
          entry(1, new Errors("write", List.of(EINTR, EIO, EPIPE, ENOSPC))),
          entry(2, new Errors("open", List.of(EMFILE, ENFILE, ENOENT, EACCES, ENOMEM))),
          // The kernel lets go of a descriptor even if it returns an error, which no filter can do.
          entry(3, new Errors("close", List.of())),
          entry(POLL, new Errors("poll", List.of(EINTR, ENOMEM))),
          entry(8, new Errors("lseek", List.of(EINVAL))),
          entry(9, new Errors("mmap", List.of(ENOMEM, EAGAIN))),
          entry(10, new Errors("mprotect", List.of(ENOMEM, EACCES))),
          entry(11, new Errors("munmap", List.of(ENOMEM))),
          entry(25, new Errors("mremap", List.of(ENOMEM, EAGAIN))),
          entry(MADVISE, new Errors("madvise", List.of(EAGAIN, ENOMEM, EINVAL))),
          entry(42, new Errors("connect", List.of(EAGAIN, EACCES, ENOENT))),
          entry(44, new Errors("sendto", List.of(EINTR, ECONNRESET, EPIPE, ENOBUFS, ENOMEM))),
          entry(45, new Errors("recvfrom", List.of(EINTR, ENOMEM, ECONNRESET))),
          entry(
              46,
              new Errors("sendmsg", List.of(EAGAIN, EINTR, ENOBUFS, ENOMEM, EPIPE, ETOOMANYREFS))),
          entry(RECVMSG, new Errors("recvmsg", List.of(EINTR, ENOMEM, ECONNRESET))),
          entry(53, new Errors("socketpair", List.of(EMFILE, ENFILE))),
          entry(54, new Errors("setsockopt", List.of(ENOMEM))),
          entry(CLONE, new Errors("clone", List.of(EAGAIN, ENOMEM, ENOSPC, EPERM))),
          entry(WAIT4, new Errors("wait4", List.of(EINTR))),
          entry(72, new Errors("fcntl", List.of(EPERM))),
          entry(PTRACE, new Errors("ptrace", List.of(EPERM, ESRCH, EIO))),
          entry(131, new Errors("sigaltstack", List.of(ENOMEM))),
          entry(141, new Errors("setpriority", List.of(EACCES, EPERM))),
          entry(PRCTL, new Errors("prctl", List.of(EINVAL))),
          entry(203, new Errors("sched_setaffinity", List.of(EINVAL, EPERM))),
          entry(204, new Errors("sched_getaffinity", List.of(ESRCH))),
          entry(233, new Errors("epoll_ctl", List.of(EEXIST, ENOMEM, ENOSPC))),
          entry(247, new Errors("waitid", List.of(EINTR))),
          entry(SET_ROBUST_LIST, new Errors("set_robust_list", List.of(EINVAL))),
          entry(274, new Errors("get_robust_list", List.of(EPERM, ESRCH))),
          entry(288, new Errors("accept4", List.of(EINTR, ECONNABORTED, EMFILE, ENFILE, ENOMEM))),
          entry(290, new Errors("eventfd2", List.of(EMFILE, ENFILE, ENODEV, ENOMEM))),
          entry(291, new Errors("epoll_create1", List.of(EMFILE, ENFILE, ENOMEM))),
          entry(292, new Errors("dup3", List.of(EBUSY, EINTR, EMFILE, EBADF))),
          entry(293, new Errors("pipe2", List.of(EMFILE, ENFILE))),
          entry(310, new Errors("process_vm_readv", List.of(EFAULT, ENOMEM, EPERM, ESRCH))),
          entry(311, new Errors("process_vm_writev", List.of(EFAULT, ENOMEM, EPERM, ESRCH))),
          entry(334, new Errors("rseq", List.of(EINVAL, EBUSY))),
          entry(424, new Errors("pidfd_send_signal", List.of(EPERM))),
          entry(434, new Errors("pidfd_open", List.of(EMFILE, ENFILE, ENOMEM, ENODEV))),
          entry(438, new Errors("pidfd_getfd", List.of(EMFILE, ENFILE, EPERM, ENOSYS))));

  static String name(int number) {
    Errors errors = ALL.get(number);
    return errors == null ? "call " + number : errors.name();
  }
}
