package io.pilotlight.daemon.function;

import io.pilotlight.daemon.time.NodeClock;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether the replay of the working set pays in clones that one kind of start makes on demand,
 * whose callers wait for it. One call in so many goes the other way, so that both are known and the
 * answer can change. Medians are compared, of the time from the decision for a start until the
 * handler has its answer. Between the two margins it stays as it is.
 *
 * <p>Clones that wait in a pool replay always: nobody waits for them.
 *
 * <p>Thread-safe; nothing waits.
 */
public final class ReplayTrial {
  /** So many calls of each are needed. */
  static final int NEEDED = 24;

  /** One in so many goes the other way. */
  static final int OTHER_ONE_IN = 16;

  /** What takes so much longer is given up. */
  static final double MARGIN = 0.05;

  private final NodeClock clock;
  private final Durations replayed = new Durations();
  private final Durations plain = new Durations();
  private final AtomicInteger turns = new AtomicInteger();
  private final AtomicInteger switches = new AtomicInteger();
  private final AtomicLong since;
  private volatile boolean on = true;

  /** On, until it is known better. */
  ReplayTrial(NodeClock clock) {
    this.clock = clock;
    this.since = new AtomicLong(clock.epochMillis());
  }

  /**
   * What is known.
   *
   * @param on whether clones replay
   * @param sinceEpochMillis since when
   * @param switches how often that has changed
   * @param replayed calls in clones that did, at most as many as count
   * @param replayedNanos their median; empty if there are none
   * @param plain calls in clones that did not
   * @param plainNanos their median; empty if there are none
   */
  public record Measured(
      boolean on,
      long sinceEpochMillis,
      int switches,
      int replayed,
      OptionalLong replayedNanos,
      int plain,
      OptionalLong plainNanos) {}

  /** Whether the next clone is to replay. */
  public boolean next() {
    boolean other = turns.getAndIncrement() % OTHER_ONE_IN == OTHER_ONE_IN - 1;
    return on != other;
  }

  /** Whether clones replay but for those that try the other way. */
  public boolean on() {
    return on;
  }

  /** A first call was answered. */
  public void add(boolean didReplay, long nanos) {
    (didReplay ? replayed : plain).add(nanos);
  }

  /** Draws the conclusion from the calls so far; takes microseconds, so after an answer. */
  public synchronized void judge() {
    if (replayed.count() < NEEDED || plain.count() < NEEDED) {
      return;
    }
    double with = replayed.median().orElseThrow();
    double without = plain.median().orElseThrow();
    boolean better = on ? with <= without * (1 + MARGIN) : without > with * (1 + MARGIN);
    if (better != on) {
      on = better;
      since.set(clock.epochMillis());
      switches.incrementAndGet();
    }
  }

  /** What is known. */
  public Measured measured() {
    return new Measured(
        on,
        since.get(),
        switches.get(),
        replayed.count(),
        replayed.median(),
        plain.count(),
        plain.median());
  }
}
