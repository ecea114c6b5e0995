package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.CLOSE;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A descriptor that this process owns. Closing it twice is harmless; using it after that fails.
 * Thread-safe.
 */
public final class Fd implements AutoCloseable {
  private static final int CLOSED = -1;
  private final AtomicInteger number;

  Fd(long number) {
    this.number = new AtomicInteger((int) number);
  }

  /**
   * Its number.
   *
   * @throws IllegalStateException if it is closed
   */
  public int number() {
    int current = number.get();
    if (current == CLOSED) {
      throw new IllegalStateException("descriptor is closed");
    }
    return current;
  }

  /** Gives it to a new owner; this object is as if closed. */
  public Fd move() {
    int current = number.getAndSet(CLOSED);
    if (current == CLOSED) {
      throw new IllegalStateException("descriptor is closed");
    }
    return new Fd(current);
  }

  /** Whether it has not been closed. */
  public boolean open() {
    return number.get() != CLOSED;
  }

  /**
   * Closes it. close(2) reports errors of earlier writes only, which no user of this class makes,
   * so none is reported.
   */
  @Override
  public void close() {
    int current = number.getAndSet(CLOSED);
    if (current != CLOSED) {
      Kernel.call(CLOSE, current);
    }
  }
}
