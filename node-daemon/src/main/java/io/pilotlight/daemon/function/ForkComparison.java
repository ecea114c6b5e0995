package io.pilotlight.daemon.function;

import io.pilotlight.daemon.pool.Start;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What first calls by a fork of the zygote take against those by a restore of its image: from the
 * daemon's decision for this start until the handler has its answer. The handler's time belongs to
 * it, since the two leave page faults to it that differ. Both are made in turn, so that what else
 * the machine does falls on both. Medians are compared: single calls depend on their payload.
 *
 * <p>Thread-safe; nothing waits.
 */
public final class ForkComparison {
  /** So many calls of each are needed. */
  static final int NEEDED = 24;

  /** The last so many calls of each count. */
  static final int WINDOW = Durations.WINDOW;

  /** A fork pays if it takes this part of the restore's time less, or more. */
  static final double MARGIN = 0.2;

  /** When it is known which takes less, one in so many goes the other way, to go on knowing it. */
  static final int OTHER_ONE_IN = 16;

  /** What is known. */
  public enum Verdict {
    /** Too few calls were measured. */
    UNDECIDED,
    /** Forks take so much less time that the zygote is worth its memory. */
    PAYS,
    /** They do not. */
    DOES_NOT_PAY
  }

  /**
   * What was measured.
   *
   * @param forks how many forks
   * @param forkNanos their median; empty if there are none
   * @param restores how many restores
   * @param restoreNanos their median; empty if there are none
   */
  public record Measured(
      int forks, OptionalLong forkNanos, int restores, OptionalLong restoreNanos) {
    /** What follows. */
    public Verdict verdict() {
      if (forks < NEEDED || restores < NEEDED) {
        return Verdict.UNDECIDED;
      }
      double limit = restoreNanos.orElseThrow() * (1 - MARGIN);
      return forkNanos.orElseThrow() <= limit ? Verdict.PAYS : Verdict.DOES_NOT_PAY;
    }
  }

  private final Durations forks = new Durations();
  private final Durations restores = new Durations();
  private final AtomicInteger turns = new AtomicInteger();
  private volatile Verdict verdict = Verdict.UNDECIDED;

  /** Which of the two comes next, where both are possible. */
  Start next() {
    int turn = turns.getAndIncrement();
    return switch (verdict) {
      case UNDECIDED -> (turn & 1) == 0 ? Start.FORK : Start.RESTORE;
      case PAYS -> turn % OTHER_ONE_IN == 0 ? Start.RESTORE : Start.FORK;
      case DOES_NOT_PAY -> turn % OTHER_ONE_IN == 0 ? Start.FORK : Start.RESTORE;
    };
  }

  /** A call was answered that had one of the two starts. */
  void add(Start start, long nanos) {
    (start == Start.FORK ? forks : restores).add(nanos);
  }

  /** What the calls so far say; {@link #next} follows it from now on. */
  Measured measured() {
    Measured measured =
        new Measured(forks.count(), forks.median(), restores.count(), restores.median());
    verdict = measured.verdict();
    return measured;
  }
}
