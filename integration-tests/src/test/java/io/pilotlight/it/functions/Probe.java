package io.pilotlight.it.functions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** A function that does what its caller says, good or bad. */
public final class Probe implements Function<Map<String, Object>, Object> {
  private static final String ENVIRONMENT_AT_INITIALISATION = System.getenv("PROBE");
  private static final String PROPERTY_AT_INITIALISATION = System.getProperty("probe");
  private int calls;

  /** Its member {@code do} says what. */
  @Override
  public Object apply(Map<String, Object> request) {
    calls++;
    return switch ((String) request.get("do")) {
      case "echo" -> request.get("value");
      case "count" -> calls;
      case "pid" -> pid();
      case "variable" -> System.getenv((String) request.get("name"));
      case "settings" -> ENVIRONMENT_AT_INITIALISATION + "," + PROPERTY_AT_INITIALISATION;
      case "length" -> ((String) request.get("value")).length();
      case "answer" -> "x".repeat((Integer) request.get("length"));
      case "print" -> print((String) request.get("text"));
      case "sleep" -> sleep((Integer) request.get("millis"));
      case "await" -> await(Path.of((String) request.get("file")));
      case "create" -> create(Path.of((String) request.get("file")));
      case "hang" -> hang();
      case "begin" -> begin(Path.of((String) request.get("file")));
      case "hook" -> hook(Path.of((String) request.get("file")));
      case "exit" -> exit((Integer) request.get("status"));
      case "exhaust" -> exhaust();
      case "throw" ->
          throw new IllegalStateException("asked to fail", new IllegalArgumentException("why"));
      default -> throw new IllegalArgumentException("do what? " + request);
    };
  }

  /** Asked of the kernel: what the JVM knows could be its zygote's. */
  private static long pid() {
    try {
      return Long.parseLong(Files.readSymbolicLink(Path.of("/proc/self")).toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String print(String text) {
    System.out.println(text);
    return text;
  }

  private static String sleep(int millis) {
    long end = System.nanoTime() + millis * 1_000_000L;
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
    return "slept";
  }

  /** Returns once the file is gone. */
  private static String await(Path file) {
    while (Files.exists(file)) {
      LockSupport.parkNanos(20_000_000L);
    }
    return "gone";
  }

  private static String create(Path file) {
    try {
      return Files.createFile(file).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file is created at an orderly end. */
  private static String hook(Path file) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> create(file)));
    return "hooked";
  }

  /** Never ends; the file is there as soon as it has begun. */
  private static Object begin(Path file) {
    create(file);
    return hang();
  }

  private static Object hang() {
    while (true) {
      LockSupport.park();
    }
  }

  private static Object exit(int status) {
    System.exit(status);
    throw new IllegalStateException("exit() returned");
  }

  private static Object exhaust() {
    List<byte[]> all = new ArrayList<>();
    while (all.size() < Integer.MAX_VALUE) {
      all.add(new byte[1 << 20]);
    }
    return all;
  }
}
