package io.pilotlight.cli.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The daemon as the kernel sees it: what it holds is not asked of itself.
 *
 * @param pid its process id
 */
public record DaemonProcess(long pid) {

  /**
   * What it holds at one moment.
   *
   * @param descriptors open file descriptors
   * @param threads its threads
   * @param residentBytes its own resident memory
   * @param processes its descendants, dead ones that were not reaped included
   */
  public record Holdings(long descriptors, long threads, long residentBytes, long processes) {}

  /** What it holds now. */
  public Holdings holdings() throws IOException {
    Path proc = Path.of("/proc", Long.toString(pid));
    long descriptors;
    try (Stream<Path> open = Files.list(proc.resolve("fd"))) {
      descriptors = open.count();
    }
    long threads = 0;
    long residentBytes = 0;
    for (String line : Files.readAllLines(proc.resolve("status"))) {
      if (line.startsWith("Threads:")) {
        threads = Long.parseLong(line.substring("Threads:".length()).strip());
      } else if (line.startsWith("VmRSS:")) {
        residentBytes = 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    long processes = ProcessHandle.of(pid).map(daemon -> daemon.descendants().count()).orElse(0L);
    return new Holdings(descriptors, threads, residentBytes, processes);
  }
}
