package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.FCNTL;
import static io.pilotlight.linux.Syscall.OPEN;
import static io.pilotlight.linux.Uapi.F_DUPFD_CLOEXEC;
import static io.pilotlight.linux.Uapi.O_CLOEXEC;
import static io.pilotlight.linux.Uapi.O_NONBLOCK;
import static io.pilotlight.linux.Uapi.O_PATH;
import static io.pilotlight.linux.Uapi.O_WRONLY;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.nio.file.Path;

/** Opens files by descriptor, which Java does not show. See open(2). */
public final class OpenFile {
  private static final int O_DIRECTORY = 0x10000;

  private OpenFile() {}

  /** For reading. */
  public static Fd readOnly(Path file) throws KernelException {
    return open(file, O_CLOEXEC);
  }

  /** A duplicate of one of this process's standard streams, 0 to 2. */
  public static Fd standard(int number) throws KernelException {
    return new Fd(
        Kernel.check(
            Kernel.call(FCNTL, number, F_DUPFD_CLOEXEC, 3), "fcntl", "descriptor " + number));
  }

  /** For reading what is there, without waiting for more. */
  public static Fd readOnlyNonblocking(Path file) throws KernelException {
    return open(file, O_NONBLOCK | O_CLOEXEC);
  }

  /** For writing; the file is there. */
  public static Fd writeOnly(Path file) throws KernelException {
    return open(file, O_WRONLY | O_CLOEXEC);
  }

  /** A directory, only to name it or what is in it. */
  public static Fd directory(Path directory) throws KernelException {
    return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  }

  private static Fd open(Path file, int flags) throws KernelException {
    Memory path = Kernel.string(file.toString());
    long result = Kernel.call(OPEN, Pointer.nativeValue(path), flags);
    Reference.reachabilityFence(path);
    return new Fd(Kernel.check(result, "open", file.toString()));
  }
}
