package io.pilotlight.it.support;

import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Limits;
import java.io.IOException;
import java.nio.file.Path;
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
    return new FunctionSpec(
        handler.getSimpleName().toLowerCase(Locale.ROOT),
        "1",
        handler.getName(),
        List.of(FunctionJar.of(directory, handler)),
        List.of(),
        Map.of(),
        Limits.ofMemory(MEMORY_MIB),
        TestJvm.home(),
        jvmArguments);
  }
}
