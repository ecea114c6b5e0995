package io.pilotlight.agent.handler;

import org.jspecify.annotations.Nullable;

/**
 * A handler as it was deployed: {@code package.Class} or {@code package.Class::method}.
 *
 * @param className the class
 * @param method the method, or null if the class implements a handler's interface
 */
record HandlerName(String className, @Nullable String method) {
  static HandlerName parse(String handler) throws HostingException {
    int colons = handler.lastIndexOf("::");
    String className = colons < 0 ? handler : handler.substring(0, colons);
    String method = colons < 0 ? null : handler.substring(colons + 2);
    if (className.isBlank() || (method != null && method.isBlank())) {
      throw HostingException.handler(
          IllegalArgumentException.class,
          "'" + handler + "' names no handler; give package.Class or package.Class::method");
    }
    return new HandlerName(className, method);
  }
}
