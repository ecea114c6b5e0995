package io.pilotlight.cli.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.CliException;
import io.pilotlight.cli.Table;
import io.pilotlight.cli.Units;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Very many calls in a row, each with a process of its own, and what the daemon is like after. */
public final class SoakRun {
  private static final int PRIMING_CALLS = 500;
  private static final Duration SETTLE = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(50);

  private final URI daemon;
  private final DaemonProcess process;
  private final BenchClock clock;
  private final Workload workload;
  private final String function;

  /**
   * Prepares a run.
   *
   * @param daemon its address
   * @param process the same daemon
   * @param clock measures
   * @param workload the calls
   * @param function deployed so that each process serves one call
   */
  public SoakRun(
      URI daemon, DaemonProcess process, BenchClock clock, Workload workload, String function) {
    this.daemon = daemon;
    this.process = process;
    this.clock = clock;
    this.workload = workload;
    this.function = function;
  }

  /**
   * How it went.
   *
   * @param count calls
   * @param failures those that failed, counted by reason
   * @param seconds how long all took
   * @param before what the daemon held, after a few hundred calls
   * @param after what it held at the end
   */
  public record Result(
      int count,
      Map<String, Integer> failures,
      double seconds,
      DaemonProcess.Holdings before,
      DaemonProcess.Holdings after) {

    /** How many calls failed. */
    public int failed() {
      return failures.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Processes that are there after, and were not before. */
    public long leftProcesses() {
      return Math.max(0, after.processes() - before.processes());
    }

    /** As {@code bench --json} has it. */
    public ObjectNode document(ObjectNode node) {
      node.put("count", count).put("failed", failed()).put("seconds", seconds);
      failures.forEach(node.putObject("failures")::put);
      holdings(node.putObject("before"), before);
      holdings(node.putObject("after"), after);
      return node.put("leftProcesses", leftProcesses());
    }

    private static void holdings(ObjectNode node, DaemonProcess.Holdings holdings) {
      node.put("descriptors", holdings.descriptors())
          .put("threads", holdings.threads())
          .put("residentBytes", holdings.residentBytes())
          .put("processes", holdings.processes());
      holdings.heapBytes().ifPresent(bytes -> node.put("liveHeapBytes", bytes));
    }

    /** For people. */
    public String text() {
      Table table = new Table("the daemon", ">before", ">after");
      table.row("descriptors", before.descriptors(), after.descriptors());
      table.row("threads", before.threads(), after.threads());
      table.row(
          "resident",
          Units.mebibytes(before.residentBytes()),
          Units.mebibytes(after.residentBytes()));
      table.row("live heap", heap(before), heap(after));
      table.row("processes below it", before.processes(), after.processes());
      return "%d calls in a row, each in a process of its own: %d failed, %.0f a second%s\n\n%s"
          .formatted(
              count,
              failed(),
              count / seconds,
              failures.isEmpty() ? "" : " " + failures,
              table.markdown());
    }
  }

  private static String heap(DaemonProcess.Holdings holdings) {
    OptionalLong bytes = holdings.heapBytes();
    return bytes.isPresent() ? Units.mebibytes(bytes.getAsLong()) : "unknown: no jcmd";
  }

  /** Makes the calls. */
  public Result run(int count) throws CliException {
    try (DaemonCaller caller = new DaemonCaller(daemon, clock, function, workload)) {
      for (int n = 0; n < PRIMING_CALLS; n++) {
        caller.call(n);
      }
      // The first question adds a thread to the daemon that answers such questions.
      OptionalLong heapBefore = process.liveHeapBytes();
      DaemonProcess.Holdings before = settled(process.holdings()).withHeap(heapBefore);
      Map<String, Integer> failures = new LinkedHashMap<>();
      long began = clock.nanos();
      for (int n = 0; n < count; n++) {
        problem(caller, PRIMING_CALLS + n).ifPresent(why -> failures.merge(why, 1, Integer::sum));
      }
      double seconds = (clock.nanos() - began) / 1e9;
      DaemonProcess.Holdings after = settled(before).withHeap(process.liveHeapBytes());
      return new Result(count, failures, seconds, before, after);
    } catch (IOException e) {
      throw new CliException("the soak run ended: " + e);
    }
  }

  private static Optional<String> problem(DaemonCaller caller, int n) {
    try {
      return caller.call(n);
    } catch (IOException e) {
      return Optional.of(e.toString());
    }
  }

  /** Waits for the last clones to be reaped and the pool to be full again, within reason. */
  private DaemonProcess.Holdings settled(DaemonProcess.Holdings before) throws IOException {
    long began = clock.nanos();
    DaemonProcess.Holdings holdings = process.holdings();
    while ((holdings.processes() > before.processes()
            || holdings.descriptors() > before.descriptors())
        && clock.nanos() - began < SETTLE.toNanos()) {
      clock.pause(POLL);
      holdings = process.holdings();
    }
    return holdings;
  }
}
