package io.pilotlight.linux;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The one door to the kernel: syscall(2), mapped directly, and errno read right behind it.
 *
 * <p>Arguments are numbers and addresses; whoever passes the address of a buffer keeps that buffer
 * reachable until the call has returned ({@link java.lang.ref.Reference#reachabilityFence}).
 */
final class Kernel {
  static {
    // Of what the process has loaded already: looking for "c" among the machine's libraries takes a
    // process of ldconfig's.
    Native.register(Kernel.class, NativeLibrary.getProcess());
  }

  /** Enough for every small structure that is passed here; a siginfo_t is the largest. */
  private static final int SCRATCH_BYTES = 128;

  /** One for each thread, for ever: a direct buffer for each call would be a storm of cleaners. */
  private static final ThreadLocal<ByteBuffer> SCRATCH =
      ThreadLocal.withInitial(
          () -> ByteBuffer.allocateDirect(SCRATCH_BYTES).order(ByteOrder.nativeOrder()));

  private Kernel() {}

  /** The calling thread's own small buffer, cleared of nothing; until it asks for it again. */
  static ByteBuffer scratch() {
    return SCRATCH.get();
  }

  /**
   * glibc's syscall(2): the result, or -1 with errno set. Variadic in C; integers travel the same
   * way.
   */
  private static native long syscall(long number, long a, long b, long c, long d, long e, long f);

  /**
   * Glibc's posix_spawn(3).
   *
   * @return 0, or an error number (errno is not used)
   */
  static native int posix_spawn(
      Pointer pid,
      byte[] path,
      Pointer fileActions,
      Pointer attributes,
      Pointer argv,
      Pointer envp);

  /** All of these return 0 or an error number. See posix_spawn(3). */
  static native int posix_spawn_file_actions_init(Pointer actions);

  static native int posix_spawn_file_actions_destroy(Pointer actions);

  static native int posix_spawn_file_actions_adddup2(Pointer actions, int from, int to);

  static native int posix_spawn_file_actions_addclosefrom_np(Pointer actions, int from);

  static native int posix_spawn_file_actions_addchdir_np(Pointer actions, byte[] path);

  static native int posix_spawnattr_init(Pointer attributes);

  static native int posix_spawnattr_destroy(Pointer attributes);

  static native int posix_spawnattr_setflags(Pointer attributes, short flags);

  static native int posix_spawnattr_setsigmask(Pointer attributes, Pointer mask);

  static native int posix_spawnattr_setsigdefault(Pointer attributes, Pointer mask);

  /**
   * Returns the kernel's result, or the negated error number; restarts the call when a signal
   * interrupted it.
   */
  static long call(long number, long a, long b, long c, long d, long e, long f) {
    while (true) {
      long result = syscall(number, a, b, c, d, e, f);
      if (result != -1) {
        return result;
      }
      int errno = Native.getLastError();
      if (errno != Errno.EINTR) {
        return -errno;
      }
    }
  }

  static long call(long number) {
    return call(number, 0, 0, 0, 0, 0, 0);
  }

  static long call(long number, long a) {
    return call(number, a, 0, 0, 0, 0, 0);
  }

  static long call(long number, long a, long b) {
    return call(number, a, b, 0, 0, 0, 0);
  }

  static long call(long number, long a, long b, long c) {
    return call(number, a, b, c, 0, 0, 0);
  }

  static long call(long number, long a, long b, long c, long d) {
    return call(number, a, b, c, d, 0, 0);
  }

  /** Passes a result on, or throws it. */
  static long check(long result, String name, String detail) throws KernelException {
    if (result < 0) {
      throw new KernelException(name, detail, (int) -result);
    }
    return result;
  }

  /** The address of a direct buffer's first byte, whatever its position. */
  static long address(ByteBuffer direct) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(direct));
  }

  /** A C string. */
  static Memory string(String text) {
    byte[] bytes = cString(text);
    Memory memory = new Memory(bytes.length);
    memory.write(0, bytes, 0, bytes.length);
    return memory;
  }

  static byte[] cString(String text) {
    return (text + "\0").getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
