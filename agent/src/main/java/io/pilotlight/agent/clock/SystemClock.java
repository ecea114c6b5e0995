package io.pilotlight.agent.clock;

import java.util.concurrent.locks.LockSupport;

/** The machine's clock. */
public final class SystemClock implements Clock {
  /** Creates one. */
  public SystemClock() {}

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public long epochMillis() {
    return System.currentTimeMillis();
  }

  @Override
  public void pause(long nanos) {
    LockSupport.parkNanos(nanos);
  }
}
