package io.pilotlight.it.support;

import com.sun.jna.Native;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Specifies a function of the test sources, for tests that build a zygote without a daemon. */
public final class TestFunction {
  private static final int MEMORY_MIB = 256;

  private TestFunction() {}

  /**
   * A function of the JVM under test.
   *
   * @param directory where its jar is made
   * @param handler its class
   * @param jvmArguments arguments for its JVM
   */
  public static FunctionSpec of(Path directory, Class<?> handler, List<String> jvmArguments)
      throws IOException {
    return of(directory, handler, List.of(), Map.of(), jvmArguments);
  }

  /**
   * The same, of one that makes system calls by JNA.
   *
   * @param environment its variables
   */
  public static FunctionSpec withJna(
      Path directory, Class<?> handler, Map<String, String> environment) throws Exception {
    Path jna = Path.of(Native.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    return of(directory, handler, List.of(jna), environment, List.of());
  }

  /** The same, confined; what it is made of may be read by the user that it runs as. */
  public static FunctionSpec isolated(FunctionSpec function, Isolation isolation)
      throws IOException {
    for (Path jar : function.jars()) {
      Files.setPosixFilePermissions(jar, PosixFilePermissions.fromString("rw-r--r--"));
    }
    return new FunctionSpec(
        function.name(),
        function.version(),
        function.handler(),
        function.jars(),
        function.layers(),
        function.environment(),
        function.limits(),
        function.javaHome(),
        function.jvmArgs(),
        function.descriptors(),
        isolation,
        false);
  }

  private static FunctionSpec of(
      Path directory,
      Class<?> handler,
      List<Path> layers,
      Map<String, String> environment,
      List<String> jvmArguments)
      throws IOException {
    return new FunctionSpec(
        handler.getSimpleName().toLowerCase(Locale.ROOT),
        "1",
        handler.getName(),
        List.of(FunctionJar.of(directory, handler)),
        layers,
        environment,
        Limits.ofMemory(MEMORY_MIB),
        TestJvm.home(),
        jvmArguments);
  }
}
