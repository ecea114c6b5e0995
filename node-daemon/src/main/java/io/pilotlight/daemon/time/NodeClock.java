package io.pilotlight.daemon.time;

/** The only source of time in the daemon. Thread-safe. */
public interface NodeClock {
  /** The machine's clocks. */
  NodeClock SYSTEM =
      new NodeClock() {
        @Override
        public long nanoTime() {
          return System.nanoTime();
        }

        @Override
        public long epochMillis() {
          return System.currentTimeMillis();
        }
      };

  /** CLOCK_MONOTONIC in nanoseconds: comparable with the times that functions report. */
  long nanoTime();

  /** Wall-clock time in milliseconds since 1970. */
  long epochMillis();
}
