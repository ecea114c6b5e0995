package io.pilotlight.daemon.route;

/**
 * An invocation that has its outcome. It is closed after the answer has been sent: what is left to
 * be done, and nobody waits for, is done then.
 */
public final class Served implements AutoCloseable {
  private final Outcome outcome;
  private final Runnable afterwards;

  Served(Outcome outcome, Runnable afterwards) {
    this.outcome = outcome;
    this.afterwards = afterwards;
  }

  /** What it came to. */
  public Outcome outcome() {
    return outcome;
  }

  @Override
  public void close() {
    afterwards.run();
  }
}
