package io.pilotlight.daemon.function;

import io.pilotlight.daemon.pool.Start;
import io.pilotlight.daemon.time.NodeClock;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What a version's zygote in memory is good for: how its forks compare with restores, when it was
 * forked last, how much its function is called. Thread-safe; what invocations call does not wait.
 */
public final class ZygoteTenure {
  /** In so long half of a function's demand is forgotten. */
  static final Duration HALF_LIFE = Duration.ofMinutes(10);

  private final ZygoteMode mode;
  private final NodeClock clock;
  private final ForkComparison comparison = new ForkComparison();
  private final LongAdder clones = new LongAdder();
  private volatile long forkedNanos;
  private volatile long askedNanos;
  private volatile boolean asked;
  private volatile @Nullable End end;
  private double demand;
  private long demandNanos;

  ZygoteTenure(ZygoteMode mode, NodeClock clock) {
    this.mode = mode;
    this.clock = clock;
    forkedNanos = clock.nanoTime();
    demandNanos = forkedNanos;
  }

  /** Why a zygote in memory was ended. */
  public enum Reason {
    /** The function is to have none. */
    IMAGE_MODE,
    /** Forks were not so much faster than restores. */
    DOES_NOT_PAY,
    /** It was not forked for long, and whether it would pay is not known. */
    UNUSED,
    /** Zygotes had more memory than they may have together. */
    BUDGET,
    /** Memory was short. */
    MEMORY_PRESSURE;

    /** As metrics have it. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * How it ended.
   *
   * @param reason in short
   * @param message with the figures that led to it
   * @param epochMillis when
   */
  public record End(Reason reason, String message, long epochMillis) {}

  /** Where the zygote is to be kept. */
  public ZygoteMode mode() {
    return mode;
  }

  /** There is a new zygote in memory, or an image beside it. */
  void begin() {
    forkedNanos = clock.nanoTime();
    end = null;
  }

  /** It was ended. */
  void ended(End how) {
    end = how;
  }

  /** How the last one was ended, if there is none now; else null. */
  public @Nullable End end() {
    return end;
  }

  /** Which start on demand comes next, where a fork and a restore are both possible. */
  public Start next() {
    return mode == ZygoteMode.AUTO ? comparison.next() : Start.FORK;
  }

  /** A caller asked for a fork by name: he measures, or tests. */
  public void forkAskedFor() {
    askedNanos = clock.nanoTime();
    asked = true;
  }

  /** Whether one did within this time. */
  boolean forkAskedFor(Duration within) {
    return asked && clock.nanoTime() - askedNanos < within.toNanos();
  }

  /** A clone was made, however. */
  void cloned() {
    clones.increment();
  }

  /**
   * The first call in a clone that was made on demand, and is not recorded, was answered.
   *
   * @param start {@link Start#FORK} or {@link Start#RESTORE}
   * @param nanos from the decision for this start until the handler had its answer
   */
  public void measured(Start start, long nanos) {
    comparison.add(start, nanos);
  }

  /** It was forked for a call. */
  public void forked() {
    forkedNanos = clock.nanoTime();
  }

  /** How long it has not been forked on demand. */
  Duration idle() {
    return Duration.ofNanos(clock.nanoTime() - forkedNanos);
  }

  /** How forks compare with restores. */
  public ForkComparison.Measured measured() {
    return comparison.measured();
  }

  /** How many clones its function took lately, what is longer ago counting less. */
  synchronized double demand() {
    long now = clock.nanoTime();
    double halfLives = (double) (now - demandNanos) / HALF_LIFE.toNanos();
    demandNanos = now;
    demand = demand * Math.pow(0.5, halfLives) + clones.sumThenReset();
    return demand;
  }
}
