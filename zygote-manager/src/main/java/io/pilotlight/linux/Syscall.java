package io.pilotlight.linux;

/** Numbers of system calls on x86-64, named as in {@code asm/unistd_64.h}. */
public final class Syscall {
  public static final int WRITE = 1;
  public static final int OPEN = 2;
  public static final int CLOSE = 3;
  public static final int LSEEK = 8;
  public static final int MMAP = 9;
  public static final int MPROTECT = 10;
  public static final int MUNMAP = 11;
  public static final int RT_SIGACTION = 13;
  public static final int IOCTL = 16;
  public static final int PREAD64 = 17;
  public static final int MREMAP = 25;
  public static final int MADVISE = 28;
  public static final int DUP2 = 33;
  public static final int SOCKET = 41;
  public static final int SOCKETPAIR = 53;
  public static final int CLONE = 56;
  public static final int EXECVE = 59;
  public static final int FCNTL = 72;
  public static final int CHDIR = 80;
  public static final int MKDIR = 83;
  public static final int SYMLINK = 88;
  public static final int SETGROUPS = 116;
  public static final int SETRESUID = 117;
  public static final int SETRESGID = 119;
  public static final int CAPSET = 126;
  public static final int SIGALTSTACK = 131;
  public static final int MKNOD = 133;
  public static final int SETPRIORITY = 141;
  public static final int PIVOT_ROOT = 155;
  public static final int PRCTL = 157;
  public static final int MOUNT = 165;
  public static final int UMOUNT2 = 166;
  public static final int FUTEX = 202;
  public static final int SCHED_SETAFFINITY = 203;
  public static final int RESTART_SYSCALL = 219;
  public static final int EPOLL_CTL = 233;
  public static final int UNSHARE = 272;
  public static final int SET_ROBUST_LIST = 273;
  public static final int TIMERFD_CREATE = 283;
  public static final int TIMERFD_SETTIME = 286;
  public static final int EVENTFD2 = 290;
  public static final int EPOLL_CREATE1 = 291;
  public static final int DUP3 = 292;
  public static final int PIPE2 = 293;
  public static final int PRLIMIT64 = 302;
  public static final int SECCOMP = 317;
  public static final int RSEQ = 334;
  public static final int CLONE3 = 435;
  public static final int CLOSE_RANGE = 436;
  public static final int MOUNT_SETATTR = 442;

  private Syscall() {}
}
