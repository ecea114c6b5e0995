package io.pilotlight.cli.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The daemon as the kernel sees it: what it holds is not asked of itself.
 *
 * @param pid its process id
 */
public record DaemonProcess(long pid) {
  /** A space of the Serial or Parallel collector's heap, or the whole of another's. */
  private static final Pattern HEAP_SPACE = Pattern.compile("total \\d+K, used (\\d+)K");

  /**
   * What it holds at one moment.
   *
   * @param descriptors open file descriptors
   * @param threads its threads
   * @param residentBytes its own resident memory
   * @param heapBytes what is left of its heap after a collection; empty if this JDK has no jcmd
   * @param processes its descendants, dead ones that were not reaped included
   */
  public record Holdings(
      long descriptors, long threads, long residentBytes, OptionalLong heapBytes, long processes) {

    /** The same with the heap known. */
    Holdings withHeap(OptionalLong bytes) {
      return new Holdings(descriptors, threads, residentBytes, bytes, processes);
    }
  }

  /**
   * Collects its garbage and tells what is left.
   *
   * @return in bytes; empty if it cannot be asked
   */
  public OptionalLong liveHeapBytes() throws IOException {
    if (ask("GC.run").isEmpty()) {
      return OptionalLong.empty();
    }
    long kibibytes = 0;
    Matcher space = HEAP_SPACE.matcher(ask("GC.heap_info"));
    while (space.find()) {
      kibibytes += Long.parseLong(space.group(1));
    }
    return kibibytes == 0 ? OptionalLong.empty() : OptionalLong.of(kibibytes << 10);
  }

  private String ask(String question) throws IOException {
    Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    if (!Files.isExecutable(jcmd)) {
      return "";
    }
    Process asking =
        new ProcessBuilder(jcmd.toString(), Long.toString(pid), question)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    return new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  /** What it holds now; its heap is not looked at. */
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
    return new Holdings(descriptors, threads, residentBytes, OptionalLong.empty(), processes);
  }
}
