package io.pilotlight.engine;

import io.pilotlight.linux.ProcFs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks for what a fork of a process with all its threads cannot deal with, apart from descriptors.
 */
final class Cloneability {
  private Cloneability() {}

  /** All of them; empty if there is none. */
  static List<Obstacle> obstacles(int pid, List<ProcFs.Mapping> mappings) throws IOException {
    List<Obstacle> obstacles = new ArrayList<>();
    boolean glibc = mappings.stream().anyMatch(m -> m.path().endsWith("/libc.so.6"));
    if (!glibc) {
      Optional<String> musl =
          mappings.stream().map(ProcFs.Mapping::path).filter(p -> p.contains("ld-musl")).findAny();
      obstacles.add(
          Obstacle.other(
              musl.map(path -> "The JVM runs on musl (" + path + "); only glibc is supported.")
                  .orElse("The JVM has no libc.so.6 mapped; only glibc is supported."),
              "Use a JDK that is built for glibc."));
    }
    for (ProcFs.Mapping mapping : mappings) {
      if (mapping.writableShared()) {
        obstacles.add(sharedMemory(mapping));
      }
    }
    if (ProcFs.status(pid, "x86_Thread_features").orElse("").contains("shstk")) {
      obstacles.add(
          Obstacle.other(
              "The JVM runs with a shadow stack (CET), which a clone cannot be given.",
              "Start it with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off in --env."));
    }
    return obstacles;
  }

  private static Obstacle sharedMemory(ProcFs.Mapping mapping) {
    return Obstacle.other(
        "Writable shared memory at 0x"
            + Long.toHexString(mapping.start())
            + " ("
            + mapping.path()
            + ") would be written by all clones at once.",
        sharedMemoryRemedy(mapping.path()));
  }

  private static String sharedMemoryRemedy(String path) {
    if (path.contains("hsperfdata")) {
      return "It is the JVM's performance data: remove -XX:+UsePerfData.";
    }
    if (path.contains("java_heap") || path.contains("zpage")) {
      return "It is the heap of ZGC: use -XX:+UseSerialGC, ParallelGC, G1GC or ShenandoahGC.";
    }
    if (path.contains("[io_uring]")) {
      return "It is an io_uring's queue: make it in the first call.";
    }
    return "Map it privately (FileChannel.MapMode.PRIVATE), or only in the first call.";
  }
}
