package io.pilotlight.agent.identity;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reaches into the JDK's own classes, in the zygote. What it opens is open to the agent only. It
 * initialises no class: state of a class that is not initialised is not there yet, and a clone that
 * comes to need it makes its own.
 */
final class JdkState {
  private final Instrumentation instrumentation;
  private final Object unsafe;
  private final Method shouldBeInitialized;

  /**
   * As described.
   *
   * @throws ReflectiveOperationException if this JVM does not tell which classes are initialised
   *     (jdk/internal/misc/Unsafe.java: {@code shouldBeInitialized(Class)})
   */
  JdkState(Instrumentation instrumentation) throws ReflectiveOperationException {
    this.instrumentation = instrumentation;
    Class<?> type = Class.forName("jdk.internal.misc.Unsafe");
    open(type);
    unsafe = instance(type.getMethod("getUnsafe"));
    shouldBeInitialized = accessible(type.getMethod("shouldBeInitialized", Class.class));
  }

  private static Object instance(Method factory) throws ReflectiveOperationException {
    Object value = accessible(factory).invoke(null);
    if (value == null) {
      throw new NoSuchMethodException(factory + " gives null");
    }
    return value;
  }

  private static Method accessible(Method method) {
    method.setAccessible(true);
    return method;
  }

  /** Every class that is loaded, of any loader. */
  Class<?>[] loadedClasses() {
    return instrumentation.getAllLoadedClasses();
  }

  /** Whether the class's static fields have their values. */
  boolean isInitialised(Class<?> type) throws ReflectiveOperationException {
    return !Boolean.TRUE.equals(shouldBeInitialized.invoke(unsafe, type));
  }

  /** A class by name, not initialised by that. */
  Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName(name, false, null);
  }

  /** A field that can be read and written. */
  Field field(Class<?> type, String name) throws NoSuchFieldException {
    open(type);
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field;
  }

  /** A method that can be called. */
  Method method(Class<?> type, String name, Class<?>... parameters) throws NoSuchMethodException {
    open(type);
    return accessible(type.getDeclaredMethod(name, parameters));
  }

  /** What a static field holds; null also if its class is not initialised. */
  @Nullable Object staticValue(Class<?> type, String name) throws ReflectiveOperationException {
    // Looked up first: that a field is gone is to be noticed in any case.
    Field field = field(type, name);
    return isInitialised(type) ? field.get(null) : null;
  }

  private void open(Class<?> type) {
    Module module = type.getModule();
    Module agent = JdkState.class.getModule();
    String packageName = type.getPackageName();
    if (!module.isOpen(packageName, agent)) {
      instrumentation.redefineModule(
          module, Set.of(), Map.of(), Map.of(packageName, Set.of(agent)), Set.of(), Map.of());
    }
  }

  /** Calls a method, and throws what it threw. */
  static @Nullable Object call(Method method, @Nullable Object target, Object... arguments)
      throws Exception {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
