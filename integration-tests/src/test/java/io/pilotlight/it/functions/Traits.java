package io.pilotlight.it.functions;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * A function with threads that have a nice value, an affinity and a signal stack of their own since
 * its initialisation. A call tells what each of them has now, and what it had then.
 */
public final class Traits implements Function<String, String> {
  private static final int THREADS = 3;
  private static final int STACK_BYTES = 64 << 10;
  private static final long SIGALTSTACK = 131;
  private static final long GETPRIORITY = 140;
  private static final long SETPRIORITY = 141;
  private static final long SCHED_SETAFFINITY = 203;
  private static final long SCHED_GETAFFINITY = 204;

  private final List<ExecutorService> threads = new ArrayList<>();
  private final List<Memory> stacks = new ArrayList<>();
  private final String then;

  /** Starts them. */
  public Traits() throws Exception {
    for (int i = 0; i < THREADS; i++) {
      int number = i;
      threads.add(Executors.newSingleThreadExecutor(task -> new Thread(task, "traits-" + number)));
      stacks.add(new Memory(STACK_BYTES));
      on(number, () -> set(number));
    }
    then = tell();
  }

  @Override
  public String apply(String input) {
    try {
      return then + "," + tell();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private <T> T on(int thread, Callable<T> task) throws Exception {
    return threads.get(thread).submit(task).get();
  }

  private String set(int number) {
    Memory stack = new Memory(24);
    stack.clear();
    stack.setPointer(0, stacks.get(number));
    stack.setLong(16, STACK_BYTES);
    call(SIGALTSTACK, stack, 0L, 0L);
    call(SETPRIORITY, 0L, 0L, 3L + number);
    Memory mask = new Memory(8);
    mask.setLong(0, 1L << (number % Runtime.getRuntime().availableProcessors()));
    call(SCHED_SETAFFINITY, 0L, 8L, mask);
    return "set";
  }

  private String tell() throws Exception {
    List<String> told = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      int number = i;
      told.add(on(i, () -> number + " " + own()));
    }
    return String.join(";", told);
  }

  private static String own() {
    Memory stack = new Memory(24);
    call(SIGALTSTACK, 0L, stack, 0L);
    Memory mask = new Memory(8);
    mask.clear();
    call(SCHED_GETAFFINITY, 0L, 8L, mask);
    return Thread.currentThread().getName()
        + " stack "
        + Long.toHexString(stack.getLong(0))
        + " "
        + stack.getLong(16)
        + " nice "
        + (20 - call(GETPRIORITY, 0L, 0L, 0L))
        + " affinity "
        + mask.getLong(0);
  }

  private static long call(long number, Object a, Object b, Object c) {
    com.sun.jna.Function function = com.sun.jna.Function.getFunction("c", "syscall");
    long result = function.invokeLong(new Object[] {new NativeLong(number), a, b, c});
    if (result < 0) {
      throw new IllegalStateException("call " + number + ": errno " + Native.getLastError());
    }
    return result;
  }
}
