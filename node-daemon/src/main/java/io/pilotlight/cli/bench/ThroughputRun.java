package io.pilotlight.cli.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.CliException;
import io.pilotlight.cli.Table;
import io.pilotlight.zygote.Zygote;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;

/** How many one-shot calls a second the daemon serves, and the bare engine in turn with it. */
public final class ThroughputRun {
  private static final int CLIENTS = 4;
  private static final int TURNS = 4;
  private static final Duration WARMUP = Duration.ofSeconds(2);
  private static final Duration TURN = Duration.ofSeconds(3);

  private final URI daemon;
  private final BenchClock clock;
  private final Workload workload;
  private final String function;
  private final Zygote zygote;

  /**
   * Prepares a run.
   *
   * @param daemon its address
   * @param clock measures
   * @param workload the calls
   * @param function deployed so that each process serves one call
   * @param zygote the same function, held by this process
   */
  public ThroughputRun(
      URI daemon, BenchClock clock, Workload workload, String function, Zygote zygote) {
    this.daemon = daemon;
    this.clock = clock;
    this.workload = workload;
    this.function = function;
    this.zygote = zygote;
  }

  /**
   * How it went.
   *
   * @param served through the daemon
   * @param bare forked, run and reaped without it
   */
  public record Result(ClosedLoop.Rate served, ClosedLoop.Rate bare) {
    /** The daemon's part of what the bare engine does. */
    double share() {
      return bare.perSecond() == 0 ? Double.NaN : served.perSecond() / bare.perSecond();
    }

    /** How many calls failed, of either. */
    public int failed() {
      return served.failed() + bare.failed();
    }

    /** As {@code bench --json} has it. */
    public ObjectNode document(ObjectNode node) {
      node.put("clients", CLIENTS);
      rate(node.putObject("daemon"), served);
      rate(node.putObject("bareEngine"), bare);
      return node.put("share", share());
    }

    private static void rate(ObjectNode node, ClosedLoop.Rate rate) {
      node.put("served", rate.served())
          .put("failed", rate.failed())
          .put("seconds", rate.seconds())
          .put("perSecond", rate.perSecond());
      rate.failures().forEach(node.putObject("failures")::put);
    }

    /** For people. */
    public String text() {
      Table table = new Table(CLIENTS + " clients, closed loop", ">a second", ">served", ">failed");
      row(table, "through the daemon", served);
      row(table, "bare engine: fork, run, reap", bare);
      return "%s\nThe daemon serves %.0f%% of what the bare engine does.%s\n"
          .formatted(
              table.markdown(),
              share() * 100,
              served.failures().isEmpty() ? "" : "\nFailures: " + served.failures());
    }

    private static void row(Table table, String name, ClosedLoop.Rate rate) {
      table.row(
          name, String.format(Locale.ROOT, "%.0f", rate.perSecond()), rate.served(), rate.failed());
    }
  }

  /** Lets both work, in turn. */
  public Result run() throws CliException {
    ClosedLoop loop = new ClosedLoop(clock, CLIENTS);
    ClosedLoop.Callers throughDaemon = () -> new DaemonCaller(daemon, clock, function, workload);
    ClosedLoop.Callers withoutDaemon = () -> new BareEngine(zygote, workload);
    ClosedLoop.Rate served = ClosedLoop.Rate.NONE;
    ClosedLoop.Rate bare = ClosedLoop.Rate.NONE;
    try {
      loop.run(throughDaemon, WARMUP);
      loop.run(withoutDaemon, WARMUP);
      for (int turn = 0; turn < TURNS; turn++) {
        served = served.plus(loop.run(throughDaemon, TURN));
        bare = bare.plus(loop.run(withoutDaemon, TURN));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while measuring");
    }
    return new Result(served, bare);
  }
}
