package io.pilotlight.cgroup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/** The files of a group, which are named and written differently in v1 and v2. */
enum GroupFiles {
  /** See the kernel's Documentation/admin-guide/cgroup-v1. */
  V1("memory.oom_control", "memory.usage_in_bytes", "tasks") {
    @Override
    void limitMemory(Path group, long bytes) throws IOException {
      write(group.resolve("memory.limit_in_bytes"), Long.toString(bytes));
      // There only where swap is accounted; never below the other.
      writeIfThere(group.resolve("memory.memsw.limit_in_bytes"), Long.toString(bytes));
    }

    @Override
    void relaxMemory(Path group) throws IOException {
      writeIfThere(group.resolve("memory.memsw.limit_in_bytes"), "-1");
      write(group.resolve("memory.limit_in_bytes"), "-1");
    }

    @Override
    void limitCpu(Path group, int millis) throws IOException {
      write(group.resolve("cpu.cfs_period_us"), Integer.toString(PERIOD_MICROS));
      write(
          group.resolve("cpu.cfs_quota_us"),
          millis == 0 ? "-1" : Integer.toString(quotaMicros(millis)));
    }
  },

  /** See the kernel's Documentation/admin-guide/cgroup-v2. */
  V2("memory.events", "memory.current", "cgroup.procs") {
    @Override
    void limitMemory(Path group, long bytes) throws IOException {
      write(group.resolve("memory.max"), Long.toString(bytes));
      writeIfThere(group.resolve("memory.swap.max"), "0");
      // A function whose child is killed is a function without one: all or nothing.
      write(group.resolve("memory.oom.group"), "1");
    }

    @Override
    void relaxMemory(Path group) throws IOException {
      write(group.resolve("memory.max"), "max");
      writeIfThere(group.resolve("memory.swap.max"), "max");
    }

    @Override
    void limitCpu(Path group, int millis) throws IOException {
      write(
          group.resolve("cpu.max"),
          (millis == 0 ? "max" : Integer.toString(quotaMicros(millis))) + " " + PERIOD_MICROS);
    }
  };

  private static final int PERIOD_MICROS = 100_000;
  private static final int MILLIS = 1_000;

  private final String memoryEvents;
  private final String memoryUsage;
  private final String entry;

  GroupFiles(String memoryEvents, String memoryUsage, String entry) {
    this.memoryEvents = memoryEvents;
    this.memoryUsage = memoryUsage;
    this.entry = entry;
  }

  abstract void limitMemory(Path group, long bytes) throws IOException;

  abstract void relaxMemory(Path group) throws IOException;

  /** 0 for no limit. */
  abstract void limitCpu(Path group, int millis) throws IOException;

  void limitPids(Path group, int pids) throws IOException {
    write(group.resolve("pids.max"), Integer.toString(pids));
  }

  void relaxPids(Path group) throws IOException {
    write(group.resolve("pids.max"), "max");
  }

  /** How many processes of the group were killed because its memory was used up. */
  long memoryKills(Path group) throws IOException {
    return count(group.resolve(memoryEvents), "oom_kill");
  }

  /** How often a process or thread was refused because of its limit. */
  long pidsRefused(Path group) throws IOException {
    return count(group.resolve("pids.events"), "max");
  }

  long memoryBytes(Path group) throws IOException {
    return Long.parseLong(Files.readString(group.resolve(memoryUsage)).strip());
  }

  /** Written to by a process with one thread that enters. */
  Path entry(Path group) {
    return group.resolve(entry);
  }

  static void enable(Path group, Set<Controller> controllers) throws IOException {
    for (Controller controller : controllers) {
      write(group.resolve("cgroup.subtree_control"), "+" + controller);
    }
  }

  static void disable(Path group, Set<Controller> controllers) throws IOException {
    for (Controller controller : controllers) {
      write(group.resolve("cgroup.subtree_control"), "-" + controller);
    }
  }

  /** Writes to a file that is there. */
  static void write(Path file, String value) throws IOException {
    try {
      Files.write(file, value.getBytes(StandardCharsets.US_ASCII), StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw new IOException(
          "control group file " + file + " does not take '" + value + "': " + e.getMessage(), e);
    }
  }

  private static void writeIfThere(Path file, String value) throws IOException {
    if (Files.exists(file)) {
      write(file, value);
    }
  }

  private static int quotaMicros(int millis) {
    return millis * (PERIOD_MICROS / MILLIS);
  }

  private static long count(Path file, String name) throws IOException {
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith(name + " ")) {
        return Long.parseLong(line.substring(name.length() + 1).strip());
      }
    }
    return 0;
  }
}
