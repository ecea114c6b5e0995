package io.pilotlight.crac;

import java.lang.ref.Reference;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/** What resources threw when they were told. */
final class Failures {
  /**
   * By name: each class loader of a function may have its own org.crac, and this package has none.
   */
  private static final String ORG_CRAC = "org.crac.";

  private final String method;
  private final List<Throwable> thrown = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();

  Failures(String method) {
    this.method = method;
  }

  /**
   * Keeps what {@code resource} threw; of a context's exception what is suppressed in it, since
   * that is what the resources of the context threw.
   */
  void add(Resource resource, Throwable exception) {
    text.append(text.length() == 0 ? "" : "; ")
        .append(method)
        .append(" of ")
        .append(nameOf(resource))
        .append(" threw ");
    Throwable[] nested = isOfContext(exception) ? exception.getSuppressed() : new Throwable[0];
    if (nested.length == 0) {
      nested = new Throwable[] {exception};
    }
    for (int i = 0; i < nested.length; i++) {
      text.append(i == 0 ? "" : ", ").append(describe(nested[i]));
      thrown.add(nested[i]);
    }
  }

  private static boolean isOfContext(Throwable exception) {
    for (Class<?> type = exception.getClass(); type != null; type = type.getSuperclass()) {
      String name = type.getName();
      if (type == CheckpointException.class
          || type == RestoreException.class
          || name.equals(ORG_CRAC + "CheckpointException")
          || name.equals(ORG_CRAC + "RestoreException")) {
        return true;
      }
    }
    return false;
  }

  /** The class of the function, behind the proxy that org.crac registers for it. */
  private static String nameOf(Resource resource) {
    if (Proxy.isProxyClass(resource.getClass())) {
      InvocationHandler handler = Proxy.getInvocationHandler(resource);
      if (handler instanceof Reference) {
        Object behind = ((Reference<?>) handler).get();
        return behind == null ? "a resource that is gone" : behind.getClass().getName();
      }
    }
    return resource.getClass().getName();
  }

  private static String describe(Throwable exception) {
    String name = exception.getClass().getName();
    try {
      String message = exception.getMessage();
      return message == null ? name : name + ": " + message;
    } catch (RuntimeException | StackOverflowError e) {
      return name + " (whose message cannot be had)";
    }
  }

  boolean isEmpty() {
    return thrown.isEmpty();
  }

  /** A sentence without its full stop: whose method threw what. */
  String text() {
    return text.toString();
  }

  /** Has {@code exception} carry them all. */
  <E extends Throwable> E suppressedBy(E exception) {
    for (Throwable one : thrown) {
      exception.addSuppressed(one);
    }
    return exception;
  }
}
