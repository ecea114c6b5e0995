package io.pilotlight.zygote;

import io.pilotlight.cgroup.ControlGroup;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Control groups for the clones of one zygote: some are ready, so that none has to be made while a
 * call waits for its clone; used ones are cleared and used again. Thread-safe; the lock is held for
 * no system call.
 */
final class GroupPool {
  private static final Logger LOG = LoggerFactory.getLogger(GroupPool.class);

  /** So many are ready at least, when nothing happens. */
  static final int READY = 2;

  /** So many that have been used are kept for further use. */
  static final int KEPT = 16;

  private final Maker maker;
  private final Executor background;
  private final Deque<ControlGroup> ready = new ArrayDeque<>();
  private int coming;
  private boolean closed;

  /** Makes a group. */
  interface Maker {
    ControlGroup make() throws IOException;
  }

  /** Nothing is made before {@link #fill}. */
  GroupPool(Maker maker, Executor background) {
    this.maker = maker;
    this.background = background;
  }

  /** Makes what is missing, in the background. */
  void fill() {
    synchronized (this) {
      if (closed || ready.size() + coming >= READY) {
        return;
      }
      coming++;
    }
    try {
      background.execute(this::makeOne);
    } catch (RejectedExecutionException e) {
      came(null);
    }
  }

  private void makeOne() {
    ControlGroup made = null;
    try {
      made = maker.make();
    } catch (IOException e) {
      LOG.warn("a control group for a later clone cannot be made: {}", e.getMessage());
    }
    if (!came(made) && made != null) {
      remove(made);
    }
    if (made != null) {
      fill();
    }
  }

  private synchronized boolean came(@Nullable ControlGroup made) {
    coming--;
    if (made != null && !closed) {
      ready.addLast(made);
      return true;
    }
    return false;
  }

  /**
   * A group that nobody is in.
   *
   * @throws IOException if none was ready and none can be made
   */
  ControlGroup take() throws IOException {
    ControlGroup group;
    synchronized (this) {
      group = ready.pollLast();
    }
    fill();
    return group == null ? maker.make() : group;
  }

  /** The process that it was taken for has ended; what that has started is ended too. */
  void giveBack(ControlGroup group) {
    try {
      background.execute(() -> clear(group));
    } catch (RejectedExecutionException e) {
      // The host is closed, and removes all that is left.
    }
  }

  private void clear(ControlGroup group) {
    boolean good = group.recycle();
    boolean keep;
    synchronized (this) {
      keep = good && !closed && ready.size() < KEPT;
      if (keep) {
        ready.addLast(group);
      }
    }
    if (!keep) {
      remove(group);
    }
  }

  /** Removes those that are ready, in the background, and the others when they are given back. */
  void close() {
    List<ControlGroup> rest;
    synchronized (this) {
      closed = true;
      rest = List.copyOf(ready);
      ready.clear();
    }
    try {
      background.execute(() -> rest.forEach(GroupPool::remove));
    } catch (RejectedExecutionException e) {
      // The host is closed, and removes all that is left.
    }
  }

  private static void remove(ControlGroup group) {
    try {
      group.remove();
    } catch (IOException e) {
      LOG.warn("control group {} cannot be removed: {}", group.name(), e.getMessage());
    }
  }
}
