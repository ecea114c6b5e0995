package io.pilotlight.agent.identity;

import java.io.IOException;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Renews, in a clone and before user code runs there, what it has in common with its zygote and
 * must not: random state, process id, host names, the machine's time zone. Environment, system
 * properties, locale and working directory are the function's, and so its clones' too.
 *
 * <p>It is in three steps. {@link #install} runs before any of the function's code, and keeps
 * account of the {@code SecureRandom}s that are created. {@link #prepare} runs in the zygote when
 * the function is warm: it looks up all that will be renewed, so that a clone searches nothing and
 * loads no class. {@link #renew} runs in each clone, on the way of its first request.
 *
 * <p>Not renewed, since no reference to it can be had: {@code ThreadLocalRandom} in virtual threads
 * that exist at the freeze, a {@code SecureRandom} that was deserialised, the hash seed of {@code
 * Set.of} and {@code Map.of}. A thread of the function that runs on in the clone may draw numbers
 * before the renewal has come to its generator.
 */
public final class Renewal {
  /** The system property that, set to {@code off}, leaves everything as it is: only for tests. */
  private static final String SWITCH = "pilotlight.renew";

  private final @Nullable Instrumentation instrumentation;
  private final SecureRandoms secureRandoms;
  private final List<String> installNotes;
  private final boolean zoneChosen = DefaultTimeZone.isChosen();
  private final List<Renewer> renewers = new ArrayList<>();
  private @Nullable Entropy entropy;

  private Renewal(
      @Nullable Instrumentation instrumentation,
      SecureRandoms secureRandoms,
      List<String> installNotes) {
    this.instrumentation = instrumentation;
    this.secureRandoms = secureRandoms;
    this.installNotes = installNotes;
  }

  /** For a JVM whose classes the agent cannot reach: notes that, and renews nothing. */
  public static Renewal unavailable() {
    return new Renewal(
        null,
        new SecureRandoms(),
        List.of(
            "Random state and process id cannot be renewed in clones: the agent is not loaded by"
                + " -javaagent."));
  }

  /** Renews the JVM that it runs in. To be called before code that makes a {@code SecureRandom}. */
  public static Renewal install(Instrumentation instrumentation) {
    if ("off".equals(System.getProperty(SWITCH))) {
      return new Renewal(
          null,
          new SecureRandoms(),
          List.of("Nothing is renewed in clones: -D" + SWITCH + "=off."));
    }
    SecureRandoms secureRandoms = new SecureRandoms();
    List<String> notes = new ArrayList<>();
    try {
      watch(instrumentation, secureRandoms);
    } catch (ReflectiveOperationException | IllegalStateException e) {
      notes.add(missing("SecureRandoms made by the function", e));
    }
    return new Renewal(instrumentation, secureRandoms, notes);
  }

  /** Loads SecureRandom, changed so that it tells of its objects. */
  private static void watch(Instrumentation instrumentation, SecureRandoms secureRandoms)
      throws ReflectiveOperationException {
    // First, since it can fail.
    JdkState jdk = new JdkState(instrumentation);
    Watcher watcher = new Watcher();
    instrumentation.addTransformer(watcher);
    Class<?> type;
    try {
      type = Class.forName(Watcher.CLASS, false, null);
    } finally {
      // Every further class would be handed to it.
      instrumentation.removeTransformer(watcher);
    }
    if (!watcher.changed) {
      throw new IllegalStateException(
          watcher.failure == null ? "the class was loaded before the agent" : watcher.failure);
    }
    try {
      jdk.field(type, CreationHook.FIELD).set(null, secureRandoms);
    } catch (ReflectiveOperationException e) {
      // Without it every constructor of SecureRandom fails: better no JVM than this one.
      throw new InternalError("field " + CreationHook.FIELD + " cannot be set", e);
    }
  }

  private static final class Watcher implements ClassFileTransformer {
    /** By name: a class literal would load it. */
    static final String CLASS = "java.security.SecureRandom";

    private boolean changed;
    private @Nullable String failure;

    @Override
    public byte @Nullable [] transform(
        @Nullable ClassLoader loader,
        String className,
        @Nullable Class<?> redefined,
        @Nullable ProtectionDomain domain,
        byte[] classFile) {
      if (loader != null || !CLASS.replace('.', '/').equals(className)) {
        return null;
      }
      try {
        byte[] result = CreationHook.insert(classFile);
        changed = true;
        return result;
      } catch (IOException | RuntimeException e) {
        failure = "the class is not as expected: " + e;
        return null;
      }
    }
  }

  /**
   * Looks up everything, in the zygote.
   *
   * @param handler the function's object, or null if it has none
   * @return what cannot be renewed, a sentence each
   */
  public List<String> prepare(ClassLoader functionLoader, @Nullable Object handler) {
    List<String> notes = new ArrayList<>(installNotes);
    renewers.clear();
    if (instrumentation == null) {
      return notes;
    }
    try {
      if (entropy == null) {
        entropy = Entropy.ofKernel();
      }
      JdkState jdk = new JdkState(instrumentation);
      add(notes, "SecureRandom NativePRNG", () -> new NativeGenerators(jdk));
      add(notes, "the seeds of new SecureRandoms", () -> new SharedSeeders(jdk));
      add(notes, "SecureRandom", () -> new SeededGenerators(secureRandoms, jdk));
      add(notes, "the seeds of new generators", () -> new FastGenerators(jdk, notes));
      add(notes, "ThreadLocalRandom", () -> new ThreadSeeds(jdk));
      add(notes, "ProcessHandle.current()", () -> new ProcessIdentity(jdk));
      add(notes, "host names", () -> new HostNames(jdk));
      if (!zoneChosen) {
        renewers.add(new DefaultTimeZone(DefaultTimeZone.OF_THE_MACHINE));
      }
      notes.addAll(new StaticState(jdk).warnings(functionLoader, handler));
    } catch (ReflectiveOperationException | IOException | RuntimeException e) {
      notes.add(missing("random state and process id", e));
    }
    return notes;
  }

  private interface Lookup {
    Renewer find() throws ReflectiveOperationException;
  }

  private void add(List<String> notes, String subject, Lookup lookup) {
    try {
      renewers.add(lookup.find());
    } catch (ReflectiveOperationException | RuntimeException e) {
      notes.add(missing(subject, e));
    }
  }

  /** The sentence for something that this JDK does not have where it is expected. */
  static String missing(String subject, Exception cause) {
    return "Clones share " + subject + " with their zygote: it cannot be renewed (" + cause + ").";
  }

  /**
   * Renews everything that was looked up.
   *
   * @return what could not be renewed, a sentence each
   */
  public List<String> renew() {
    Entropy source = entropy;
    if (source == null || renewers.isEmpty()) {
      return List.of();
    }
    source.discard();
    List<String> problems = List.of();
    for (int i = 0; i < renewers.size(); i++) {
      Renewer renewer = renewers.get(i);
      try {
        renewer.renew(source);
      } catch (Exception e) {
        List<String> more = new ArrayList<>(problems);
        more.add(missing(renewer.subject(), e));
        problems = more;
      }
    }
    return problems;
  }
}
