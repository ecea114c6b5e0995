package io.pilotlight.agent;

import java.lang.reflect.Constructor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Adds to what {@code System.getenv} and {@code ProcessBuilder.environment()} know of the
 * environment. C code that asks getenv(3) does not see it, nor does a child process that is started
 * without a look at {@code environment()}: it gets what this process began with.
 */
final class ProcessVariables {
  private final @Nullable Map<String, String> variables;
  private final @Nullable Throwable obstacle;

  private ProcessVariables(@Nullable Map<String, String> variables, @Nullable Throwable obstacle) {
    this.variables = variables;
    this.obstacle = obstacle;
  }

  /**
   * Looks into java/lang/ProcessEnvironment.java, which {@link Premain} has opened: {@code
   * theEnvironment}, a map of bytes, and {@code StringEnvironment}, which makes a map of strings of
   * it.
   */
  static ProcessVariables find() {
    try {
      Class<?> owner = Class.forName("java.lang.ProcessEnvironment");
      var bytes = owner.getDeclaredField("theEnvironment");
      bytes.setAccessible(true);
      Constructor<?> strings =
          Class.forName("java.lang.ProcessEnvironment$StringEnvironment")
              .getDeclaredConstructor(Map.class);
      strings.setAccessible(true);
      @SuppressWarnings("unchecked") // that is what it implements
      Map<String, String> live = (Map<String, String>) strings.newInstance(bytes.get(null));
      return new ProcessVariables(live, null);
    } catch (ReflectiveOperationException | RuntimeException e) {
      return new ProcessVariables(null, e);
    }
  }

  /**
   * Sets variables.
   *
   * @throws IllegalStateException if this JDK's environment cannot be changed
   */
  void put(Map<String, String> values) {
    if (variables == null) {
      throw new IllegalStateException(
          "secrets cannot be given to a function on Java " + Runtime.version(), obstacle);
    }
    variables.putAll(values);
  }

  /**
   * Sets all of them, and removes all others.
   *
   * @throws IllegalStateException if this JDK's environment cannot be changed
   */
  void replace(Map<String, String> values) {
    if (variables == null) {
      throw new IllegalStateException(
          "the environment cannot be changed on Java " + Runtime.version(), obstacle);
    }
    variables.keySet().retainAll(values.keySet());
    variables.putAll(values);
  }

  /** Removes a variable, if it is there. */
  void remove(String name) {
    if (variables != null) {
      variables.remove(name);
    }
  }
}
