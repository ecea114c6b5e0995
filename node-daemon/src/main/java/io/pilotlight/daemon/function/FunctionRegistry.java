package io.pilotlight.daemon.function;

import java.util.Collection;
import java.util.Collections;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/** The functions of this daemon, by name. Thread-safe and without locks. */
public final class FunctionRegistry {
  private final ConcurrentNavigableMap<String, ServedFunction> functions =
      new ConcurrentSkipListMap<>();

  /** The function of that name, or null. */
  public @Nullable ServedFunction find(String name) {
    return functions.get(name);
  }

  /** All functions, by name. */
  public Collection<ServedFunction> all() {
    return Collections.unmodifiableCollection(functions.values());
  }

  ServedFunction findOrAdd(String name) {
    return functions.computeIfAbsent(name, ServedFunction::new);
  }

  void remove(ServedFunction function) {
    functions.remove(function.name(), function);
  }
}
