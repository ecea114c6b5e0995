package io.pilotlight.crac;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The context of a process. Thread-safe.
 *
 * <p>It holds its resources weakly, and strongly from the checkpoint to the restore. It tells them
 * of the checkpoint in the reverse order of their registration and of the restore in that order;
 * each is told of both, whatever the others throw.
 *
 * <p>A resource that is registered while others are told of the checkpoint is told as well: code
 * that a resource runs ahead of the checkpoint, to warm it, may well be the first to need one. Once
 * all have been told, a registration waits for the restore: the resource is not told of this
 * checkpoint, as if it had been registered after it.
 */
public final class GlobalContext extends Context<Resource> {
  private static final int FIRST_PURGE = 64;

  private final List<WeakReference<Resource>> registered = new ArrayList<>();

  /** Of those in {@link #registered} the ones that have been told of the checkpoint. */
  private int told;

  /** In the order of their registration. */
  private List<Resource> held = new ArrayList<>();

  private boolean telling;
  private boolean awaitingRestore;
  private int purgeAt = FIRST_PURGE;

  /** Knows of no resource yet. */
  public GlobalContext() {}

  @Override
  public void register(Resource resource) {
    Objects.requireNonNull(resource, "resource");
    boolean interrupted = false;
    synchronized (this) {
      while (awaitingRestore) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (!telling && registered.size() >= purgeAt) {
        forgetUnreachable();
        purgeAt = Math.max(FIRST_PURGE, 2 * registered.size());
      }
      registered.add(new WeakReference<>(resource));
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether there is anybody to be told. */
  public synchronized boolean hasResources() {
    for (WeakReference<Resource> reference : registered) {
      if (!reference.refersTo(null)) {
        return true;
      }
    }
    return false;
  }

  /** Tells of a checkpoint. Whatever comes of it, {@link #afterRestore} has to follow. */
  @Override
  public void beforeCheckpoint(@Nullable Context<? extends Resource> context)
      throws CheckpointException {
    Failures failures = new Failures("beforeCheckpoint");
    begin();
    for (List<Resource> next = next(); !next.isEmpty(); next = next()) {
      for (int i = next.size() - 1; i >= 0; i--) {
        try {
          next.get(i).beforeCheckpoint(this);
        } catch (Throwable e) {
          failures.add(next.get(i), e);
        }
      }
    }
    if (!failures.isEmpty()) {
      throw failures.suppressedBy(new CheckpointException(failures.text()));
    }
  }

  /**
   * There is no checkpoint: tells all of a restore.
   *
   * @param cause why; gets what resources throw beside what it has
   */
  public void abandon(CheckpointException cause) {
    try {
      afterRestore(null);
    } catch (RestoreException restore) {
      for (Throwable suppressed : restore.getSuppressed()) {
        cause.addSuppressed(suppressed);
      }
    }
  }

  private synchronized void begin() {
    forgetUnreachable();
    told = 0;
    telling = true;
    held = new ArrayList<>();
  }

  /** Those that have been registered since the last look; if there are none, nobody is any more. */
  private synchronized List<Resource> next() {
    List<Resource> next = new ArrayList<>();
    for (; told < registered.size(); told++) {
      Resource resource = registered.get(told).get();
      if (resource != null) {
        next.add(resource);
      }
    }
    held.addAll(next);
    telling = !next.isEmpty();
    awaitingRestore = next.isEmpty();
    return next;
  }

  private void forgetUnreachable() {
    for (Iterator<WeakReference<Resource>> i = registered.iterator(); i.hasNext(); ) {
      if (i.next().refersTo(null)) {
        i.remove();
      }
    }
  }

  /** Tells of the restore. */
  @Override
  public void afterRestore(@Nullable Context<? extends Resource> context) throws RestoreException {
    Failures failures = new Failures("afterRestore");
    for (Resource resource : restored()) {
      try {
        resource.afterRestore(this);
      } catch (Throwable e) {
        failures.add(resource, e);
      }
    }
    if (!failures.isEmpty()) {
      throw failures.suppressedBy(new RestoreException(failures.text()));
    }
  }

  /** First, since what a resource does now may wait for a thread that wants to register another. */
  private synchronized List<Resource> restored() {
    List<Resource> restored = held;
    held = new ArrayList<>();
    awaitingRestore = false;
    notifyAll();
    return restored;
  }
}
