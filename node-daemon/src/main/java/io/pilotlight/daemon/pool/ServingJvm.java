package io.pilotlight.daemon.pool;

import io.pilotlight.zygote.FunctionJvm;

/** A process of a function, with what the daemon knows of it. Thread-safe. */
public final class ServingJvm {
  /** What it does. */
  public enum State {
    /** Forked ahead: has one thread and waits for its first invocation. */
    WAITING,
    /** Serves an invocation. */
    BUSY,
    /** Has served, waits for the next. */
    IDLE
  }

  private final FunctionJvm jvm;
  private final Start origin;
  private final long startedEpochMillis;
  private volatile State state;
  private volatile long idleSinceNanos;
  private volatile int served;

  /**
   * As described.
   *
   * @param jvm the process
   * @param origin how it was made: {@link Start#POOL}, {@link Start#FORK} or {@link Start#COLD}
   * @param state what it does
   * @param startedEpochMillis when it was made
   */
  public ServingJvm(FunctionJvm jvm, Start origin, State state, long startedEpochMillis) {
    this.jvm = jvm;
    this.origin = origin;
    this.state = state;
    this.startedEpochMillis = startedEpochMillis;
  }

  /** The process. */
  public FunctionJvm jvm() {
    return jvm;
  }

  /** How it was made. */
  public Start origin() {
    return origin;
  }

  /** When it was made. */
  public long startedEpochMillis() {
    return startedEpochMillis;
  }

  /** What it does. */
  public State state() {
    return state;
  }

  /** How many invocations it has been given. */
  public int served() {
    return served;
  }

  /** When it became idle, in the clock's nanoseconds. */
  long idleSinceNanos() {
    return idleSinceNanos;
  }

  /** The one that took it out of its pool gives it an invocation. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // whoever took it is its only user
  public void busy() {
    state = State.BUSY;
    served++;
  }

  void idle(long nowNanos) {
    idleSinceNanos = nowNanos;
    state = State.IDLE;
  }
}
