package io.pilotlight.agent.clock;

/** The only way in which the agent reads or spends time. */
public interface Clock {
  /** CLOCK_MONOTONIC in nanoseconds, as {@link System#nanoTime()}. */
  long nanoTime();

  /** Wall-clock time in milliseconds since the epoch. */
  long epochMillis();

  /** Lets {@code nanos} pass; returns early if the thread is interrupted. */
  void pause(long nanos);
}
