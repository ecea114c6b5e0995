package io.pilotlight.it.functions;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.Stream;

/** A hostile function: takes as much of a resource as it is given. */
public final class Greedy implements Function<Map<String, Object>, Object> {
  private static final int MIB = 1 << 20;

  /** Its member {@code take} says of what. */
  @Override
  public Object apply(Map<String, Object> request) {
    try {
      return switch ((String) request.get("take")) {
        case "nothing" -> "nothing";
        case "heap" -> heap();
        case "native" -> nativeMemory();
        case "direct" -> directBuffers();
        case "threads" -> threads();
        case "processes" -> processes();
        case "descriptors" -> descriptors();
        case "disk" -> disk(Path.of((String) request.get("file")));
        case "answer" -> "x".repeat((Integer) request.get("bytes"));
        case "output" -> output((Integer) request.get("mebibytes"));
        case "processor" -> processor((Integer) request.get("millis"));
        case "orphan" -> orphan();
        case "escape" -> escape();
        default -> throw new IllegalArgumentException("take what? " + request);
      };
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object heap() {
    List<byte[]> all = new ArrayList<>();
    while (all.size() < Integer.MAX_VALUE) {
      all.add(new byte[MIB]);
    }
    return all;
  }

  /** Past the JVM's own limits, as a native library could. */
  private static Object nativeMemory() {
    try {
      Field field = Class.forName("sun.misc.Unsafe").getDeclaredField("theUnsafe");
      field.setAccessible(true);
      Object unsafe = field.get(null);
      var allocate = unsafe.getClass().getMethod("allocateMemory", long.class);
      var touch = unsafe.getClass().getMethod("setMemory", long.class, long.class, byte.class);
      while (true) {
        touch.invoke(unsafe, allocate.invoke(unsafe, (long) MIB), (long) MIB, (byte) 1);
      }
    } catch (java.lang.reflect.InvocationTargetException e) {
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object directBuffers() {
    List<ByteBuffer> all = new ArrayList<>();
    while (all.size() < Integer.MAX_VALUE) {
      all.add(ByteBuffer.allocateDirect(MIB));
    }
    return all;
  }

  private static Object threads() {
    while (true) {
      Thread thread = new Thread(LockSupport::park);
      thread.setDaemon(true);
      thread.start();
    }
  }

  private static Object processes() throws IOException {
    List<Process> all = new ArrayList<>();
    while (all.size() < Integer.MAX_VALUE) {
      Process process = new ProcessBuilder("sleep", "600").start();
      // Each has three descriptors here, of which there are not many either.
      process.getInputStream().close();
      process.getErrorStream().close();
      process.getOutputStream().close();
      all.add(process);
    }
    return all;
  }

  private static Object descriptors() throws IOException {
    List<InputStream> all = new ArrayList<>();
    while (all.size() < Integer.MAX_VALUE) {
      all.add(Files.newInputStream(Path.of("/dev/zero")));
    }
    return all;
  }

  private static Object disk(Path file) throws IOException {
    byte[] block = new byte[MIB];
    try (OutputStream out = Files.newOutputStream(file)) {
      while (true) {
        out.write(block);
      }
    }
  }

  private static Object output(int mebibytes) {
    String line = "y".repeat(MIB - 1);
    for (int i = 0; i < mebibytes; i++) {
      System.out.println(line);
    }
    return mebibytes;
  }

  /** Computes for so long; the processor time that it got, in milliseconds. */
  private static Object processor(int millis) {
    long before = cpuMillis();
    long end = System.nanoTime() + millis * 1_000_000L;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    return cpuMillis() - before;
  }

  private static long cpuMillis() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis();
  }

  /** Control groups that it can move itself to. */
  private static Object escape() throws IOException {
    Path groups = Path.of("/sys/fs/cgroup");
    List<String> entered = new ArrayList<>();
    if (!Files.isDirectory(groups)) {
      return entered;
    }
    try (Stream<Path> files = Files.find(groups, 3, (path, a) -> path.endsWith("cgroup.procs"))) {
      for (Path file : files.toList()) {
        try {
          Files.writeString(file, "0", StandardOpenOption.WRITE);
          entered.add(file.toString());
        } catch (IOException e) {
          // Denied.
        }
      }
    }
    return entered;
  }

  /** Starts a process that would outlive it; its id. */
  private static Object orphan() throws IOException {
    return new ProcessBuilder("setsid", "sleep", "600").start().pid();
  }
}
