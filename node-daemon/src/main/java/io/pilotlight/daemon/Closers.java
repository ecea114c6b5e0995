package io.pilotlight.daemon;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what was opened, in the reverse order, each whatever became of the others. */
final class Closers implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Closers.class);
  private final Deque<Named> open = new ArrayDeque<>();

  private record Named(String name, AutoCloseable closeable) {}

  /** Remembers {@code opened}, and returns it. */
  <T extends AutoCloseable> T add(String name, T opened) {
    open.push(new Named(name, opened));
    return opened;
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      Named last = open.pop();
      try {
        last.closeable().close();
      } catch (Exception e) {
        log.atError().addKeyValue("what", last.name()).setCause(e).log("not closed cleanly");
      }
    }
  }
}
