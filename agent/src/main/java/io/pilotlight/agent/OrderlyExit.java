package io.pilotlight.agent;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * Ends this JVM after its shutdown hooks. Since JDK 21 {@code System.exit} first looks for a logger
 * that wants to know of it (java/lang/Shutdown.java, logRuntimeExit): that loads hundreds of
 * classes, in each clone anew, on processors that serve requests. What the JVM calls when its last
 * thread has ended runs the same hooks without that.
 */
final class OrderlyExit {
  private final @Nullable Method hooks;

  private OrderlyExit(@Nullable Method hooks) {
    this.hooks = hooks;
  }

  /**
   * Looks up {@code shutdown()} of java/lang/Shutdown.java, which {@link Premain} has opened; where
   * it is not as expected it is {@code System.exit} that is called.
   */
  static OrderlyExit find() {
    try {
      Method found = Class.forName("java.lang.Shutdown").getDeclaredMethod("shutdown");
      found.setAccessible(true);
      return new OrderlyExit(found);
    } catch (ReflectiveOperationException | RuntimeException e) {
      return new OrderlyExit(null);
    }
  }

  /** Runs the hooks and ends the JVM. */
  void exit(int status) {
    if (hooks != null) {
      try {
        hooks.invoke(null);
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
