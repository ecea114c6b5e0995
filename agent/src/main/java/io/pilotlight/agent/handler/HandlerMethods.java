package io.pilotlight.agent.handler;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/** Chooses among the methods that share a handler's name. */
final class HandlerMethods {
  private static final String ACCEPTED =
      "accepted are (), (T), (T, Context), (Context), (InputStream), (InputStream, Context),"
          + " (OutputStream), (OutputStream, Context), (InputStream, OutputStream) and"
          + " (InputStream, OutputStream, Context), with any T that JSON can be bound to";

  private HandlerMethods() {}

  /** The one that AWS would choose; its choice among equals is chance, so that is refused. */
  static HandlerMethod choose(Class<?> type, String name, @Nullable Class<?> context)
      throws HostingException {
    List<Method> named = named(type, name);
    List<HandlerMethod> best = new ArrayList<>();
    for (Method method : named) {
      HandlerMethod candidate = HandlerMethod.of(method, context);
      if (candidate == null) {
        continue;
      }
      if (!best.isEmpty() && candidate.rank() > best.get(0).rank()) {
        best.clear();
      }
      if (best.isEmpty() || candidate.rank() == best.get(0).rank()) {
        best.add(candidate);
      }
    }
    String subject = "class " + type.getName() + ", method " + name + ": ";
    if (named.isEmpty()) {
      throw unsuitable(subject + "no public method has this name. Found: " + describeAll(type));
    }
    if (best.isEmpty()) {
      throw unsuitable(subject + ACCEPTED + ". Found: " + describe(named));
    }
    if (best.size() > 1) {
      throw unsuitable(
          subject
              + "several methods suit equally well; give one another name. Found: "
              + describe(best.stream().map(HandlerMethod::method).toList()));
    }
    return best.get(0);
  }

  private static HostingException unsuitable(String message) {
    return HostingException.handler(NoSuchMethodException.class, message);
  }

  /** Bridges only repeat what another method declares better. */
  private static List<Method> named(Class<?> type, String name) {
    List<Method> named = new ArrayList<>();
    for (Method method : type.getMethods()) {
      if (method.getName().equals(name) && !method.isBridge()) {
        named.add(method);
      }
    }
    return named;
  }

  /** The public methods of {@code type} that are not every object's. */
  static String describeAll(Class<?> type) {
    List<Method> methods = new ArrayList<>();
    for (Method method : type.getMethods()) {
      if (method.getDeclaringClass() != Object.class && !method.isBridge()) {
        methods.add(method);
      }
    }
    return describe(methods);
  }

  private static String describe(List<Method> methods) {
    if (methods.isEmpty()) {
      return "none";
    }
    StringJoiner all = new StringJoiner("; ");
    for (Method method : methods) {
      StringJoiner parameters = new StringJoiner(", ", method.getName() + "(", ")");
      for (Class<?> parameter : method.getParameterTypes()) {
        parameters.add(parameter.getTypeName());
      }
      String prefix = Modifier.isStatic(method.getModifiers()) ? "static " : "";
      all.add(prefix + method.getReturnType().getTypeName() + " " + parameters);
    }
    return all.toString();
  }
}
