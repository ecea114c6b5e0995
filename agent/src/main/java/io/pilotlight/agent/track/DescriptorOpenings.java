package io.pilotlight.agent.track;

import java.io.FileDescriptor;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.net.SocketImpl;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where each descriptor was opened that Java code has open: files by stream, {@code
 * RandomAccessFile} or channel, sockets of {@code java.net} and {@code java.nio}. Off unless asked
 * for: then nothing of the JDK is changed. Thread-safe.
 */
public final class DescriptorOpenings {
  private static final int SHOWN_FRAMES = 40;

  private final boolean on;
  private final Field number;
  private final Field socketDescriptor;
  private final Map<FileDescriptor, Opening> openings = new WeakHashMap<>();
  private long sequence;

  private record Opening(long sequence, String thread, @Nullable Object path, Throwable stack) {}

  private DescriptorOpenings(boolean on) {
    this.on = on;
    try {
      number = FileDescriptor.class.getDeclaredField("fd");
      socketDescriptor = SocketImpl.class.getDeclaredField("fd");
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("this JDK's descriptors are not as expected", e);
    }
  }

  /** Keeps no account. */
  public static DescriptorOpenings off() {
    return new DescriptorOpenings(false);
  }

  /**
   * Keeps account from now on. The packages {@code java.io} and {@code java.net} must be open to
   * the agent.
   *
   * @throws IllegalStateException if this JDK's classes are not as expected
   */
  public static DescriptorOpenings install(Instrumentation instrumentation) {
    DescriptorOpenings openings = new DescriptorOpenings(true);
    try {
      openings.number.setAccessible(true);
      openings.socketDescriptor.setAccessible(true);
      MethodHandles.Lookup place =
          MethodHandles.privateLookupIn(FileDescriptor.class, MethodHandles.lookup());
      Class<?> told = place.defineClass(OpeningHooks.told());
      java.util.function.BiConsumer<Object, @Nullable Object> listener = openings::opened;
      told.getField("listener").set(null, listener);
      List<Class<?>> types = new ArrayList<>();
      for (String type : OpeningHooks.types()) {
        types.add(Class.forName(type, false, null));
      }
      OpeningHooks hooks = new OpeningHooks();
      instrumentation.addTransformer(hooks, true);
      try {
        instrumentation.retransformClasses(types.toArray(new Class<?>[0]));
      } finally {
        instrumentation.removeTransformer(hooks);
      }
      if (hooks.failure() != null) {
        throw hooks.failure();
      }
      return openings;
    } catch (ReflectiveOperationException
        | java.lang.instrument.UnmodifiableClassException
        | RuntimeException e) {
      throw new IllegalStateException("descriptors cannot be tracked in this JVM: " + e, e);
    }
  }

  private void opened(Object what, @Nullable Object path) {
    try {
      FileDescriptor descriptor =
          (FileDescriptor) (what instanceof SocketImpl ? socketDescriptor.get(what) : what);
      if (descriptor == null) {
        return;
      }
      Throwable stack = new Throwable();
      synchronized (openings) {
        // A channel of a stream, or an outer method of the same opening, tells nothing new.
        openings.putIfAbsent(
            descriptor, new Opening(sequence++, Thread.currentThread().getName(), path, stack));
      }
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The thread, the path and the stack that opened each descriptor, by its number. */
  public Map<String, String> describe() {
    Map<Integer, Opening> latest = new HashMap<>();
    synchronized (openings) {
      openings.forEach(
          (descriptor, opening) ->
              latest.merge(
                  numberOf(descriptor), opening, (a, b) -> a.sequence() > b.sequence() ? a : b));
    }
    Map<String, String> described = new HashMap<>();
    latest.forEach((fd, opening) -> described.put(Integer.toString(fd), text(opening)));
    return described;
  }

  private int numberOf(FileDescriptor descriptor) {
    try {
      return number.getInt(descriptor);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(Opening opening) {
    StringBuilder text = new StringBuilder("thread '" + opening.thread() + "'");
    if (opening.path() != null) {
      text.append(" as ").append(opening.path());
    }
    int shown = 0;
    for (StackTraceElement frame : opening.stack().getStackTrace()) {
      boolean own =
          frame.getClassName().startsWith(DescriptorOpenings.class.getName())
              || frame.getClassName().equals(OpeningHooks.TOLD.replace('/', '.'));
      if (!own && shown++ < SHOWN_FRAMES) {
        text.append("\n\tat ").append(frame);
      }
    }
    return text.toString();
  }

  /** Whether account is kept. */
  public boolean on() {
    return on;
  }
}
