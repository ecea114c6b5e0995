package io.pilotlight.agent;

import io.pilotlight.agent.crac.CompatibilityPackage;
import io.pilotlight.agent.identity.Renewal;
import io.pilotlight.agent.track.DescriptorOpenings;
import java.lang.instrument.Instrumentation;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the JVM calls before {@link FunctionHost}: it opens to the agent, and to nobody else, the
 * packages of the JDK that the agent reaches into from its start, so that the command line need not
 * open them to every class; and it sees to it that clones can be renewed and resources be told. In
 * a program that is no function it starts {@link ProgramHost} instead.
 */
public final class Premain {
  /** Static, since the JVM calls {@link #premain} and {@code main} and lets them share no more. */
  private static volatile Renewal renewal = Renewal.unavailable();

  private static volatile DescriptorOpenings openings = DescriptorOpenings.off();

  /** A system property: what the agent does on request, separated by commas. */
  private static final String OPTIONS = "pilotlight.agent.options";

  private static final String TRACK_DESCRIPTORS = "trackDescriptors";
  private static volatile CompatibilityPackage crac = CompatibilityPackage.unavailable();

  /** The argument for a program that is not a function. */
  private static final String PROGRAM = "program";

  private Premain() {}

  /**
   * Called by the JVM.
   *
   * @param argument {@value #PROGRAM}, or there to be read in the process's command line
   */
  public static void premain(@Nullable String argument, Instrumentation instrumentation) {
    open(instrumentation, "java.base", "java.io");
    open(instrumentation, "java.base", "java.lang");
    open(instrumentation, "jdk.management", "com.sun.management.internal");
    if (List.of(System.getProperty(OPTIONS, "").split(",", -1)).contains(TRACK_DESCRIPTORS)) {
      open(instrumentation, "java.base", "java.net");
      openings = DescriptorOpenings.install(instrumentation);
    }
    renewal = Renewal.install(instrumentation);
    crac = CompatibilityPackage.install(instrumentation);
    if (PROGRAM.equals(argument)) {
      ProgramHost.start(renewal, crac);
    }
  }

  static DescriptorOpenings openings() {
    return openings;
  }

  static Renewal renewal() {
    return renewal;
  }

  static CompatibilityPackage crac() {
    return crac;
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
