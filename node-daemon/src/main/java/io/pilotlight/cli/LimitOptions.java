package io.pilotlight.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What one process of a function may use. */
final class LimitOptions {
  @Option(
      names = "--memory",
      paramLabel = "MIB",
      description = "Memory of one process; three quarters are for the heap.")
  private @Nullable Integer memoryMib;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      description = "Processors for one process, like 0.5; 0 for all.")
  private @Nullable BigDecimal cpus;

  @Option(
      names = "--pids-limit",
      paramLabel = "N",
      description = "Threads of one process, with the processes that it starts.")
  private @Nullable Integer pids;

  @Option(names = "--open-files", paramLabel = "N", description = "Descriptors of one process.")
  private @Nullable Integer openFiles;

  @Option(
      names = "--file-size",
      paramLabel = "MIB",
      description = "Size of a file that it writes; 0 for any.")
  private @Nullable Integer fileSizeMib;

  @Option(
      names = "--max-answer",
      paramLabel = "BYTES",
      description = "Size of an answer; 0 for what the daemon allows.")
  private @Nullable Integer maxAnswerBytes;

  /** Writes what was given into a definition. */
  void write(ObjectNode definition) {
    put(definition, "memoryMib", memoryMib);
    if (cpus != null) {
      definition.put("cpus", cpus);
    }
    put(definition, "pidsLimit", pids);
    put(definition, "openFiles", openFiles);
    put(definition, "fileSizeMib", fileSizeMib);
    put(definition, "maxAnswerBytes", maxAnswerBytes);
  }

  private static void put(ObjectNode definition, String field, @Nullable Integer value) {
    if (value != null) {
      definition.put(field, value);
    }
  }
}
