package io.pilotlight.it.faults;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Decides about system calls of a process and all its descendants while they are made: each may go
 * on, or fail with an error number without being made. It is seccomp's user notification, so
 * nothing of the product is replaced; see seccomp_unotify(2).
 *
 * <p>The filter is put on one thread of this JVM, and a process that this thread starts inherits
 * it, as do its descendants. It cannot be taken off, so this goes on until this JVM ends.
 */
final class SyscallSupervisor {
  private static final int PRCTL = 157;
  private static final int IOCTL = 16;
  private static final int SECCOMP = 317;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int SECCOMP_SET_MODE_FILTER = 1;
  private static final int SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
  private static final int NOTIFICATION_BYTES = 80;
  private static final int RESPONSE_BYTES = 24;
  private static final long RECEIVE = 0xC0502100L;
  private static final long RESPOND = 0xC0182101L;
  private static final int CONTINUE = 1;
  private static final int EINTR = 4;
  private static final int ENOENT = 2;

  private static final int LOAD = 0x20;
  private static final int JUMP_IF_EQUAL = 0x15;
  private static final int RETURN = 0x06;
  private static final int ALLOW = 0x7fff0000;
  private static final int ERROR = 0x00050000;
  private static final int NOTIFY = 0x7fc00000;
  private static final int X86_64 = 0xC000003E;

  private static final Function SYSCALL = Function.getFunction("c", "syscall");

  private volatile Judge judge = call -> 0;
  private volatile int listenerDescriptor = -1;
  private final List<Integer> numbers;

  /**
   * A system call that is about to be made.
   *
   * @param tid the thread that makes it
   * @param number of the call
   * @param instruction address behind the instruction that makes it
   * @param first its first argument
   * @param second its second argument
   */
  record Call(int tid, int number, long instruction, long first, long second) {}

  /** Decides; called by one thread. */
  interface Judge {
    /** Returns 0 to let the call be made, else the error number with which it fails. */
    int errno(Call call);
  }

  /** Supervises these calls. */
  SyscallSupervisor(List<Integer> numbers) {
    this.numbers = List.copyOf(numbers);
  }

  /** From now on this one decides. */
  void judge(Judge next) {
    judge = next;
  }

  /** Starts a process under supervision. */
  Process start(ProcessBuilder builder) throws IOException {
    FutureTask<Process> task =
        new FutureTask<>(
            () -> {
              listenerDescriptor = install(program(numbers, NOTIFY), true);
              return builder.start();
            });
    Thread supervisor = new Thread(this::supervise, "supervises");
    supervisor.setDaemon(true);
    supervisor.start();
    new Thread(task, "starts").start();
    return get(task);
  }

  /** Starts a process in which calls of two lists fail, each with its number, for ever. */
  static Process startWithout(
      ProcessBuilder builder, List<Integer> first, int errno, List<Integer> second, int other)
      throws IOException {
    FutureTask<Process> task =
        new FutureTask<>(
            () -> {
              install(program(first, ERROR | errno), false);
              install(program(second, ERROR | other), false);
              return builder.start();
            });
    new Thread(task, "starts").start();
    return get(task);
  }

  private static Process get(FutureTask<Process> task) throws IOException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** What a filter returns for these calls; all others are allowed. */
  private static Memory program(List<Integer> numbers, int action) {
    int count = numbers.size();
    Memory code = new Memory(8L * (count + 5));
    instruction(code, 0, LOAD, 0, 0, 4);
    instruction(code, 1, JUMP_IF_EQUAL, 0, count + 1, X86_64);
    instruction(code, 2, LOAD, 0, 0, 0);
    for (int i = 0; i < count; i++) {
      instruction(code, 3 + i, JUMP_IF_EQUAL, count - i, 0, numbers.get(i));
    }
    instruction(code, 3 + count, RETURN, 0, 0, ALLOW);
    instruction(code, 4 + count, RETURN, 0, 0, action);
    return code;
  }

  private static void instruction(
      Memory code, int index, int operation, int jumpTrue, int jumpFalse, int operand) {
    code.setShort(8L * index, (short) operation);
    code.setByte(8L * index + 2, (byte) jumpTrue);
    code.setByte(8L * index + 3, (byte) jumpFalse);
    code.setInt(8L * index + 4, operand);
  }

  /** On the calling thread, and all that it starts. Returns the listener, if there is one. */
  private static int install(Memory code, boolean listening) {
    Memory program = new Memory(16);
    program.setShort(0, (short) (code.size() / 8));
    program.setPointer(8, code);
    check(call(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0), "prctl");
    long flags = listening ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    return (int)
        check(
            call(SECCOMP, SECCOMP_SET_MODE_FILTER, flags, Pointer.nativeValue(program), 0),
            "seccomp");
  }

  private void supervise() {
    // The thread that installs the filter could wait for an answer before it has told of it, if it
    // were told in any other way than by this field.
    while (listenerDescriptor < 0) {
      Thread.onSpinWait();
    }
    Memory notification = new Memory(NOTIFICATION_BYTES);
    Memory response = new Memory(RESPONSE_BYTES);
    while (true) {
      notification.clear();
      long result = call(IOCTL, listenerDescriptor, RECEIVE, Pointer.nativeValue(notification), 0);
      if (result == 0) {
        Call call =
            new Call(
                notification.getInt(8),
                notification.getInt(16),
                notification.getLong(24),
                notification.getLong(32),
                notification.getLong(40));
        int errno = decide(call);
        response.clear();
        response.setLong(0, notification.getLong(0));
        response.setInt(16, -errno);
        response.setInt(20, errno == 0 ? CONTINUE : 0);
        // ENOENT: whoever made the call has been killed meanwhile.
        call(IOCTL, listenerDescriptor, RESPOND, Pointer.nativeValue(response), 0);
      } else if (result != -EINTR && result != -ENOENT) {
        throw new IllegalStateException("ioctl: errno " + -result);
      }
    }
  }

  private int decide(Call call) {
    try {
      return judge.errno(call);
    } catch (RuntimeException e) {
      e.printStackTrace();
      return 0;
    }
  }

  private static long call(long number, long a, long b, long c, long d) {
    long result = SYSCALL.invokeLong(new Object[] {number, a, b, c, d, 0L, 0L});
    return result == -1 ? -Native.getLastError() : result;
  }

  private static long check(long result, String name) {
    if (result < 0) {
      throw new IllegalStateException(name + " failed with errno " + -result);
    }
    return result;
  }
}
