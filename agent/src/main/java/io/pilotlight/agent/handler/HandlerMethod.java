package io.pilotlight.agent.handler;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * A method that can be a handler, and what it takes, in this order.
 *
 * @param method the method
 * @param takesValue a bound value first
 * @param takesInput an {@link InputStream} first
 * @param takesOutput then an {@link OutputStream}
 * @param takesContext a {@code Context} last
 */
record HandlerMethod(
    Method method,
    boolean takesValue,
    boolean takesInput,
    boolean takesOutput,
    boolean takesContext) {

  /** Null if the method has parameters that a handler cannot have. */
  static @Nullable HandlerMethod of(Method method, @Nullable Class<?> context) {
    Class<?>[] types = method.getParameterTypes();
    int next = 0;
    int end = types.length;
    boolean takesContext = end > 0 && types[end - 1] == context;
    if (takesContext) {
      end--;
    }
    boolean takesInput = next < end && types[next] == InputStream.class;
    next += takesInput ? 1 : 0;
    boolean takesOutput = next < end && types[next] == OutputStream.class;
    next += takesOutput ? 1 : 0;
    boolean takesValue = !takesInput && !takesOutput && next < end && types[next] != context;
    next += takesValue ? 1 : 0;
    return next == end
        ? new HandlerMethod(method, takesValue, takesInput, takesOutput, takesContext)
        : null;
  }

  boolean usesStreams() {
    return takesInput || takesOutput;
  }

  /** AWS prefers more parameters, and counts a {@code Context} twice. */
  int rank() {
    return method.getParameterCount() + (takesContext ? 1 : 0);
  }
}
