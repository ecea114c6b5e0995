package io.pilotlight.daemon.fake;

import com.fasterxml.jackson.databind.node.IntNode;
import io.pilotlight.daemon.function.FunctionDefinition;
import io.pilotlight.daemon.function.FunctionSettings;
import io.pilotlight.daemon.function.Secrets;
import io.pilotlight.daemon.function.StoredJar;
import io.pilotlight.daemon.function.ZygoteMode;
import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Limits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Definitions for tests. */
public final class Definitions {
  /** What a host is to make, where that does not matter. */
  public static final FunctionSpec SPEC =
      new FunctionSpec(
          "f",
          "1",
          "a.B",
          List.of(),
          List.of(),
          Map.of(),
          Limits.ofMemory(64),
          Path.of("/jvm"),
          List.of());

  private Definitions() {}

  /** Settings with the values that tests vary, without an image. */
  public static FunctionSettings settings(boolean oneShot, int pool, int concurrency) {
    return settings(oneShot, pool, concurrency, true, ZygoteMode.AUTO);
  }

  /** The same with an image. */
  public static FunctionSettings withImage(boolean oneShot, int pool, int concurrency) {
    return settings(oneShot, pool, concurrency, false, ZygoteMode.AUTO);
  }

  /** One-shot, with an image and without a pool. */
  public static FunctionSettings withImage(ZygoteMode mode) {
    return settings(true, 0, 8, false, mode);
  }

  private static FunctionSettings settings(
      boolean oneShot, int pool, int concurrency, boolean noImage, ZygoteMode zygoteMode) {
    return new FunctionSettings(
        "a.B::c",
        Map.of("KEY", "value"),
        new Secrets(Map.of("PASSWORD", "hidden-from-all")),
        Limits.ofMemory(256),
        0,
        3,
        5,
        oneShot,
        pool,
        concurrency,
        60,
        new FunctionSettings.WarmupSettings(List.of(IntNode.valueOf(1)), 10, 5),
        true,
        noImage,
        zygoteMode,
        Path.of(System.getProperty("java.home")),
        List.of("-Xss1m"),
        DescriptorOptions.DEFAULT,
        Isolation.NONE,
        false);
  }

  /** A version of a function. */
  public static FunctionDefinition of(String name, int version, FunctionSettings settings) {
    StoredJar jar = new StoredJar(Path.of("/a.jar"), "0".repeat(64), 1, Path.of("/store/a.jar"));
    return new FunctionDefinition(name, version, 0, List.of(jar), List.of(), settings);
  }
}
