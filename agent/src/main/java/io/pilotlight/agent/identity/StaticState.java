package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Looks in a function's static fields for values that every clone will have in common and that
 * nobody but the function can renew.
 */
final class StaticState {
  private static final int MOST_TOLD = 20;

  private final JdkState jdk;

  StaticState(JdkState jdk) {
    this.jdk = jdk;
  }

  /** A sentence for each, class and field named. Initialises no class. */
  List<String> warnings(ClassLoader functionLoader) throws ReflectiveOperationException {
    List<String> found = new ArrayList<>();
    List<String> unreadable = new ArrayList<>();
    for (Class<?> type : jdk.loadedClasses()) {
      if (isBelow(type.getClassLoader(), functionLoader)
          && !type.isArray()
          // Closed to everybody, and their static fields hold methods only.
          && !Proxy.isProxyClass(type)
          && jdk.isInitialised(type)) {
        scan(type, found, unreadable);
      }
    }
    List<String> warnings = new ArrayList<>(found.stream().sorted().limit(MOST_TOLD).toList());
    if (found.size() > MOST_TOLD) {
      warnings.add("Of such static fields there are " + (found.size() - MOST_TOLD) + " more.");
    }
    if (!unreadable.isEmpty()) {
      warnings.add(
          "The static fields of "
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

  private static void scan(Class<?> type, List<String> found, List<String> unreadable) {
    try {
      for (Field field : type.getDeclaredFields()) {
        if (Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
          field.setAccessible(true);
          String what = sharedBy(field.get(null));
          if (what != null) {
            found.add(
                "Static field "
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
    if (value.getClass() == Random.class) {
      return "a java.util.Random, which gives the same numbers in every clone,";
    }
    if (value instanceof SplittableRandom) {
      return "a SplittableRandom, which gives the same numbers in every clone,";
    }
    return value instanceof UUID ? "a UUID, which is the same in every clone," : null;
  }
}
