package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Looks in a function's static fields, and in the fields of its handler, for values that every
 * clone will have in common and that nobody but the function can renew.
 */
final class StaticState {
  private static final int MOST_TOLD = 20;

  private final JdkState jdk;

  StaticState(JdkState jdk) {
    this.jdk = jdk;
  }

  /** A sentence for each, class and field named. Initialises no class. */
  List<String> warnings(ClassLoader functionLoader, @Nullable Object handler)
      throws ReflectiveOperationException {
    List<String> found = new ArrayList<>();
    List<String> unreadable = new ArrayList<>();
    for (Class<?> type : jdk.loadedClasses()) {
      if (isBelow(type.getClassLoader(), functionLoader)
          && !type.isArray()
          // Closed to everybody, and their static fields hold methods only.
          && !Proxy.isProxyClass(type)
          && jdk.isInitialised(type)) {
        scan(type, null, found, unreadable);
      }
    }
    for (Class<?> type = handler == null ? null : handler.getClass();
        type != null && isBelow(type.getClassLoader(), functionLoader);
        type = type.getSuperclass()) {
      scan(type, handler, found, unreadable);
    }
    List<String> warnings = new ArrayList<>(found.stream().sorted().limit(MOST_TOLD).toList());
    if (found.size() > MOST_TOLD) {
      warnings.add("Of such fields there are " + (found.size() - MOST_TOLD) + " more.");
    }
    if (!unreadable.isEmpty()) {
      warnings.add(
          "The fields of "
              + unreadable.size()
              + " classes could not be looked at for values that clones share: "
              + unreadable.get(0)
              + (unreadable.size() == 1 ? "." : ", and others."));
    }
    return warnings;
  }

  private static boolean isBelow(@Nullable ClassLoader loader, ClassLoader functionLoader) {
    for (ClassLoader at = loader; at != null; at = at.getParent()) {
      if (at == functionLoader) {
        return true;
      }
    }
    return false;
  }

  /** The fields of {@code object}, or the static ones if that is null. */
  private static void scan(
      Class<?> type, @Nullable Object object, List<String> found, List<String> unreadable) {
    try {
      for (Field field : type.getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers()) == (object == null)
            && !field.getType().isPrimitive()) {
          field.setAccessible(true);
          String what = sharedBy(field.get(object));
          if (what != null) {
            found.add(
                (object == null ? "Static field " : "Field ")
                    + type.getName()
                    + "."
                    + field.getName()
                    + " holds "
                    + what
                    + " and cannot be renewed; make it when it is needed, or use SecureRandom or"
                    + " ThreadLocalRandom.");
          }
        }
      }
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      unreadable.add(type.getName() + " (" + e + ")");
    }
  }

  private static @Nullable String sharedBy(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (value instanceof UUID) {
      return "a UUID, which is the same in every clone,";
    }
    // SecureRandoms are renewed, and there is one ThreadLocalRandom, which is renewed too.
    boolean generator =
        value instanceof RandomGenerator
            && !(value instanceof SecureRandom)
            && !(value instanceof ThreadLocalRandom);
    return generator
        ? "a " + value.getClass().getName() + ", which gives the same numbers in every clone,"
        : null;
  }
}
