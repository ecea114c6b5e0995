package io.pilotlight.agent.handler;

import io.pilotlight.agent.clock.Clock;

/** Time that passes only when somebody pauses. */
public final class ManualClock implements Clock {
  private long nanos = 1;

  @Override
  public long nanoTime() {
    return nanos;
  }

  @Override
  public long epochMillis() {
    return 1_700_000_000_000L + nanos / 1_000_000;
  }

  @Override
  public void pause(long pauseNanos) {
    nanos += pauseNanos;
  }
}
