package io.pilotlight.agent;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Ends this JVM after its shutdown hooks, and tells whether there are any. Since JDK 21 {@code
 * System.exit} first looks for a logger that wants to know of it (java/lang/Shutdown.java,
 * logRuntimeExit): that loads hundreds of classes, in each clone anew, on processors that serve
 * requests. What the JVM calls when its last thread has ended runs the same hooks without that.
 */
final class OrderlyExit {
  /** Of the table in java/lang/Shutdown.java: restores the terminal's echo; there is none. */
  private static final int CONSOLE_SLOT = 0;

  /** Of the same table: runs the hooks that {@code Runtime.addShutdownHook} was given. */
  private static final int APPLICATION_SLOT = 1;

  private final @Nullable Method shutdown;
  private final Runnable @Nullable [] slots;
  private final Map<?, ?> applicationHooks;

  private OrderlyExit(
      @Nullable Method shutdown, Runnable @Nullable [] slots, Map<?, ?> applicationHooks) {
    this.shutdown = shutdown;
    this.slots = slots;
    this.applicationHooks = applicationHooks;
  }

  /**
   * Looks into java/lang/Shutdown.java and ApplicationShutdownHooks.java, which {@link Premain} has
   * opened. Where they are not as expected it is {@code System.exit} that is called, and hooks are
   * taken to be there.
   */
  static OrderlyExit find() {
    try {
      Class<?> owner = Class.forName("java.lang.Shutdown");
      Method shutdown = owner.getDeclaredMethod("shutdown");
      shutdown.setAccessible(true);
      Class<?> application = Class.forName("java.lang.ApplicationShutdownHooks");
      return new OrderlyExit(
          shutdown,
          (Runnable[]) value(owner.getDeclaredField("hooks")),
          (Map<?, ?>) value(application.getDeclaredField("hooks")));
    } catch (ReflectiveOperationException | RuntimeException e) {
      return new OrderlyExit(null, null, Map.of());
    }
  }

  private static Object value(Field field) throws IllegalAccessException {
    field.setAccessible(true);
    return field.get(null);
  }

  /**
   * Whether an orderly end would run anything: hooks of the application, files to be deleted, or
   * what a later JDK may have added.
   */
  boolean hasHooks() {
    if (slots == null || !applicationHooks.isEmpty()) {
      return true;
    }
    for (int i = 0; i < slots.length; i++) {
      if (i != CONSOLE_SLOT && i != APPLICATION_SLOT && slots[i] != null) {
        return true;
      }
    }
    return false;
  }

  /** Runs the hooks and ends the JVM. */
  void exit(int status) {
    if (shutdown != null) {
      try {
        shutdown.invoke(null);
        Runtime.getRuntime().halt(status);
      } catch (InvocationTargetException e) {
        System.err.println("pilotlight: java.lang.Shutdown.shutdown failed: " + e.getCause());
      } catch (IllegalAccessException e) {
        System.err.println("pilotlight: java.lang.Shutdown.shutdown was refused: " + e);
      }
    }
    System.exit(status);
  }
}
