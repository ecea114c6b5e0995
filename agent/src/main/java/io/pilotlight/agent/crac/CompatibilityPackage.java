package io.pilotlight.agent.crac;

import io.pilotlight.crac.Core;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.security.ProtectionDomain;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * Puts {@code io.pilotlight.crac} where org.crac finds it.
 *
 * <p>org.crac asks its own class loader, a function's, which sees the boot loader and not the
 * agent. So the classes are defined in the boot loader, one by one, and no others are. {@code
 * Instrumentation.appendToBootstrapClassLoaderSearch} would need a jar of them on disk, and makes
 * HotSpot give up sharing the classes of all other loaders, with a warning.
 */
public final class CompatibilityPackage {
  /** The property that org.crac reads, once, when it is initialised. */
  static final String PROPERTY = "org.crac.Core.Compat";

  static final String NAME = "io.pilotlight.crac";

  /** In an order in which each finds its supertypes. */
  static final List<String> CLASSES =
      List.of(
          "Resource",
          "Context",
          "CheckpointException",
          "RestoreException",
          "Requests",
          "Failures",
          "GlobalContext",
          "Core$Refused",
          "Core");

  private static final String CORE_OF_THE_JDK = "jdk.crac.Core";
  private static final String CORE_OF_THE_FUNCTION = "org.crac.Core";

  private final @Nullable Instrumentation instrumentation;
  private final @Nullable String obstacle;

  private CompatibilityPackage(
      @Nullable Instrumentation instrumentation, @Nullable String obstacle) {
    this.instrumentation = instrumentation;
    this.obstacle = obstacle;
  }

  /** For a JVM without instrumentation. */
  public static CompatibilityPackage unavailable() {
    return new CompatibilityPackage(null, "the agent is not loaded by -javaagent");
  }

  /**
   * Defines the package, unless the JDK has CRaC itself or the property names another
   * implementation already. To be called before anybody refers to the package.
   */
  public static CompatibilityPackage install(Instrumentation instrumentation) {
    String chosen = System.getProperty(PROPERTY);
    if (chosen != null) {
      return new CompatibilityPackage(instrumentation, "-D" + PROPERTY + "=" + chosen);
    }
    if (exists(CORE_OF_THE_JDK)) {
      return new CompatibilityPackage(instrumentation, "this JDK has CRaC of its own");
    }
    try {
      define(instrumentation);
      System.setProperty(PROPERTY, NAME);
      return new CompatibilityPackage(instrumentation, null);
    } catch (IOException
        | URISyntaxException
        | ReflectiveOperationException
        | RuntimeException
        | LinkageError e) {
      return new CompatibilityPackage(instrumentation, "package " + NAME + " was refused: " + e);
    }
  }

  private static boolean exists(String name) {
    try {
      Class.forName(name, false, null);
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** By jdk/internal/misc/Unsafe.java: {@code defineClass}, for the boot loader if that is null. */
  private static void define(Instrumentation instrumentation)
      throws IOException, URISyntaxException, ReflectiveOperationException {
    Class<?> type = Class.forName("jdk.internal.misc.Unsafe");
    instrumentation.redefineModule(
        type.getModule(),
        Set.of(),
        Map.of(),
        Map.of(type.getPackageName(), Set.of(CompatibilityPackage.class.getModule())),
        Set.of(),
        Map.of());
    Object unsafe = type.getMethod("getUnsafe").invoke(null);
    Method define =
        type.getMethod(
            "defineClass",
            String.class,
            byte[].class,
            int.class,
            int.class,
            ClassLoader.class,
            ProtectionDomain.class);
    // Open already for the class loader; to ask that one costs a URL and its connection for each.
    File jar =
        new File(
            CompatibilityPackage.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI()
                .getPath());
    try (ZipFile zip = new ZipFile(jar)) {
      for (String name : CLASSES) {
        byte[] bytes = bytes(zip, NAME.replace('.', '/') + "/" + name + ".class");
        define.invoke(unsafe, NAME + "." + name, bytes, 0, bytes.length, null, null);
      }
    }
  }

  private static byte[] bytes(ZipFile jar, String name) throws IOException {
    ZipEntry entry = jar.getEntry(name);
    if (entry == null) {
      throw new FileNotFoundException(name + " in " + jar.getName());
    }
    try (InputStream in = jar.getInputStream(entry)) {
      return in.readAllBytes();
    }
  }

  /**
   * What a function's owner should know: an org.crac that has not found the package does nothing,
   * and says nothing.
   */
  public List<String> notes() {
    if (instrumentation == null || Core.found()) {
      return List.of();
    }
    for (Class<?> type : instrumentation.getAllLoadedClasses()) {
      if (type.getName().equals(CORE_OF_THE_FUNCTION)) {
        return List.of(
            "The function's org.crac does not use Pilotlight's implementation ("
                + (obstacle == null ? "it did not find package " + NAME : obstacle)
                + "): its resources are not told of the freeze, nor of the start of a clone.");
      }
    }
    return List.of();
  }
}
