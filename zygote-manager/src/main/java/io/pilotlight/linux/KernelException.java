package io.pilotlight.linux;

import java.io.IOException;

/** A system call failed. The message names the call, its arguments, and the error by name. */
public final class KernelException extends IOException {
  private static final long serialVersionUID = 1L;
  private final String call;
  private final int errno;

  /**
   * As described.
   *
   * @param call the system call's name
   * @param detail its arguments, in words
   * @param errno the error number
   */
  public KernelException(String call, String detail, int errno) {
    super(call + "(" + detail + "): " + Errno.name(errno));
    this.call = call;
    this.errno = errno;
  }

  /** The system call's name. */
  public String call() {
    return call;
  }

  /** Whether it says no more than that a socket's other end is closed. */
  public boolean peerGone() {
    return errno == Errno.EPIPE || errno == Errno.ECONNRESET;
  }

  /** The error number; see {@link Errno}. */
  public int errno() {
    return errno;
  }
}
