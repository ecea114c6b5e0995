package io.pilotlight.agent;

import java.lang.instrument.Instrumentation;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the JVM calls before {@link FunctionHost}: it opens to the agent, and to nobody else, the
 * two packages of the JDK that the agent reaches into, so that the command line need not open them
 * to every class.
 */
public final class Premain {
  private Premain() {}

  /** Called by the JVM. The argument is only there to be read in the process's command line. */
  public static void premain(@Nullable String argument, Instrumentation instrumentation) {
    open(instrumentation, "java.base", "java.io");
    open(instrumentation, "jdk.management", "com.sun.management.internal");
  }

  private static void open(Instrumentation instrumentation, String module, String packageName) {
    Optional<Module> found = ModuleLayer.boot().findModule(module);
    if (found.isPresent()) {
      instrumentation.redefineModule(
          found.get(),
          Set.of(),
          Map.of(),
          Map.of(packageName, Set.of(Premain.class.getModule())),
          Set.of(),
          Map.of());
    }
  }
}
