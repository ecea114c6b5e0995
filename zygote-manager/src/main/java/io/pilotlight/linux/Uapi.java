package io.pilotlight.linux;

/**
 * Constants that the kernel shares with programs, named as in its {@code include/uapi}: those that
 * more than one class needs.
 */
public final class Uapi {
  public static final int AF_UNIX = 1;
  public static final int CLONE_NEWNS = 0x20000;
  public static final int F_DUPFD_CLOEXEC = 1030;
  public static final int F_SETFL = 4;
  public static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  public static final int MREMAP_MAYMOVE_FIXED = 3;
  public static final int O_CLOEXEC = 02000000;
  public static final int O_NONBLOCK = 04000;
  public static final int O_PATH = 010000000;
  public static final int O_WRONLY = 1;
  public static final int PROT_EXEC = 4;
  public static final int PROT_READ = 1;
  public static final int PROT_READ_EXEC = 5;
  public static final int PROT_READ_WRITE = 3;
  public static final int PROT_WRITE = 2;
  public static final int PR_SET_NAME = 15;
  public static final int PR_SET_PDEATHSIG = 1;
  public static final int PR_SET_TIMERSLACK = 29;
  public static final int SCM_RIGHTS = 1;
  public static final int SIGKILL = 9;
  public static final int SOCK_STREAM = 1;
  public static final int SOL_SOCKET = 1;

  private Uapi() {}
}
