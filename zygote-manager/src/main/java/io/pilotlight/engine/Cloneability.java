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

  /** One sentence for each obstacle; empty if there is none. */
  static List<String> obstacles(int pid, List<ProcFs.Mapping> mappings) throws IOException {
    List<String> obstacles = new ArrayList<>();
    boolean glibc = mappings.stream().anyMatch(m -> m.path().endsWith("/libc.so.6"));
    if (!glibc) {
      Optional<String> musl =
          mappings.stream().map(ProcFs.Mapping::path).filter(p -> p.contains("ld-musl")).findAny();
      obstacles.add(
          musl.map(path -> "The JVM runs on musl (" + path + "); only glibc is supported.")
                  .orElse("The JVM has no libc.so.6 mapped; only glibc is supported.")
              + " Use a JDK that is built for glibc.");
    }
    for (ProcFs.Mapping mapping : mappings) {
      if (mapping.writableShared()) {
        obstacles.add(sharedMemory(mapping));
      }
    }
    if (ProcFs.status(pid, "x86_Thread_features").orElse("").contains("shstk")) {
      obstacles.add(
          "The JVM runs with a shadow stack (CET), which a clone cannot be given. Start it with"
              + " GLIBC_TUNABLES=glibc.cpu.x86_shstk=off in --env.");
    }
    return obstacles;
  }

  private static String sharedMemory(ProcFs.Mapping mapping) {
    String what =
        "Writable shared memory at 0x"
            + Long.toHexString(mapping.start())
            + " ("
            + mapping.path()
            + ") would be written by all clones at once.";
    if (mapping.path().contains("hsperfdata")) {
      return what + " It is the JVM's performance data: remove -XX:+UsePerfData.";
    }
    if (mapping.path().contains("java_heap") || mapping.path().contains("zpage")) {
      return what
          + " It is the heap of ZGC: use -XX:+UseSerialGC, ParallelGC, G1GC or ShenandoahGC.";
    }
    return what + " Map it privately, or only in afterRestore.";
  }
}
