package io.pilotlight.cli.bench;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** The only place here that reads the clock or lets time pass. */
public interface BenchClock {
  /** The machine's monotonic clock. */
  BenchClock SYSTEM =
      new BenchClock() {
        @Override
        public long nanos() {
          return System.nanoTime();
        }

        @Override
        public void pause(Duration time) {
          LockSupport.parkNanos(time.toNanos());
        }
      };

  /** Nanoseconds since some moment. */
  long nanos();

  /** Lets about this much time pass. */
  void pause(Duration time);
}
