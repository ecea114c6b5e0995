package io.pilotlight.agent.crac;

import io.pilotlight.crac.CheckpointException;
import io.pilotlight.crac.GlobalContext;
import io.pilotlight.crac.Requests;
import io.pilotlight.crac.RestoreException;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoint of this process, which is the freeze of a zygote: who asks for it, when resources
 * are told, and who gets to know what they threw.
 *
 * <p>The daemon asks for it when the function is warm. The function may ask earlier, by {@code
 * Core.checkpointRestore()}: on the host's thread, that is in the handler's initialisation or in a
 * warm-up call, and then the host lets itself be frozen right there; or on a thread of its own,
 * which then waits until the host comes by, at the next frame that it reads. Either way the call
 * returns in each clone when a request is at hand, and throws there what resources threw.
 *
 * <p>A cold JVM is not frozen. So that a function that asks behaves in it as it does in a clone, a
 * request in its initialisation tells the resources of both, and returns. A process that serves
 * refuses.
 */
public final class Checkpoint implements Requests {
  /**
   * Below the calls after which HotSpot compiles a method, for every usual number of warm-up calls.
   */
  private static final int ONE_REHEARSED_IN = 64;

  private final GlobalContext context;
  private final boolean zygote;
  private final Freezing freezing;
  private final Thread host;
  private volatile Phase phase = Phase.INITIALISING;

  /** A thread of the function that waits for its checkpoint; never the host's. */
  private volatile @Nullable Waiting waiting;

  /**
   * Whether the next call has to look whether it is a clone's first one; the host's thread only.
   */
  private boolean restorePending;

  private int renewals;

  /** Whether resources are being told, or have been and wait for the restore. */
  private boolean inProgress;

  private enum Phase {
    INITIALISING,
    WARMING,
    /** The agent does nothing but read until it is in a clone. */
    FREEZING,
    SERVING
  }

  /** Has the daemon freeze this process while the host's thread is deep in the function's code. */
  @FunctionalInterface
  public interface Freezing {
    /** Returns in a clone, with a request at hand. */
    void freeze();
  }

  private static final class Waiting {
    private boolean over;
    private @Nullable CheckpointException refused;
    private @Nullable RestoreException failed;
  }

  /**
   * Of a process whose function is about to be loaded by the calling thread.
   *
   * @param zygote whether it is to be frozen
   */
  public Checkpoint(GlobalContext context, boolean zygote, Freezing freezing) {
    this.context = context;
    this.zygote = zygote;
    this.freezing = freezing;
    this.host = Thread.currentThread();
  }

  /**
   * The handler is constructed; in a clone of a process that was frozen before, nothing changes.
   */
  public synchronized void initialised() {
    if (phase == Phase.INITIALISING) {
      phase = zygote ? Phase.WARMING : Phase.SERVING;
    }
  }

  @Override
  public void checkpointRestore() throws CheckpointException, RestoreException {
    if (zygote && Thread.currentThread() != host) {
      await(enqueue());
      return;
    }
    begin();
    try {
      tell();
      if (zygote) {
        phase = Phase.FREEZING;
        freezing.freeze();
        phase = Phase.SERVING;
      }
      context.afterRestore(null);
    } finally {
      end();
    }
  }

  private synchronized void begin() throws CheckpointException {
    refuseIfServing();
    if (inProgress || waiting != null) {
      throw alreadyInProgress();
    }
    inProgress = true;
  }

  private synchronized void end() {
    inProgress = false;
  }

  private void refuseIfServing() {
    if (phase == Phase.SERVING) {
      throw new UnsupportedOperationException(
          "this process serves requests; a checkpoint can be asked for while the handler is"
              + " initialised and in warm-up calls");
    }
  }

  private static CheckpointException alreadyInProgress() {
    CheckpointException refused = new CheckpointException();
    refused.addSuppressed(new IllegalStateException("a checkpoint is in progress already"));
    return refused;
  }

  private synchronized Waiting enqueue() throws CheckpointException {
    refuseIfServing();
    if (inProgress || waiting != null) {
      throw alreadyInProgress();
    }
    waiting = new Waiting();
    return waiting;
  }

  private synchronized void await(Waiting mine) throws CheckpointException, RestoreException {
    boolean interrupted = false;
    while (!mine.over) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (mine.refused != null) {
      throw mine.refused;
    } else if (mine.failed != null) {
      throw mine.failed;
    }
  }

  /** Tells resources of the checkpoint; if one cannot have it, all go on as if after a restore. */
  private void tell() throws CheckpointException {
    try {
      context.beforeCheckpoint(null);
    } catch (CheckpointException e) {
      context.abandon(e);
      throw e;
    }
  }

  /** Whether the function takes part: by resources, or because it has asked for the checkpoint. */
  public boolean concernsTheFunction() {
    return phase == Phase.FREEZING || context.hasResources() || waiting != null;
  }

  /**
   * On the host's thread, when a process is renewed, which warm-up calls rehearse. HotSpot compiles
   * no branch that was never taken, and a clone that takes one discards the compiled code of all
   * around it. So a few warm-up calls do what a clone's first call does: few, so that {@link
   * #restore} itself is never compiled with only one of its outcomes.
   */
  public void renewed() {
    if (++renewals % ONE_REHEARSED_IN == 0) {
      restorePending = true;
    }
  }

  /**
   * On the host's thread, in a zygote that is warmed: makes the checkpoint that a thread of the
   * function waits for.
   *
   * @return whether it was made, and nothing but the freeze may follow
   */
  public boolean makeIfAwaited() {
    if (waiting == null || phase != Phase.WARMING) {
      return false;
    }
    try {
      make();
      return true;
    } catch (CheckpointException e) {
      return false; // the one who asked for it was told
    }
  }

  /**
   * On the host's thread: makes the checkpoint, if it has not been made yet.
   *
   * @throws CheckpointException if a resource cannot have it; all have been told of a restore then
   */
  public void make() throws CheckpointException {
    if (phase == Phase.FREEZING) {
      return;
    }
    synchronized (this) {
      inProgress = true;
    }
    try {
      tell();
      phase = Phase.FREEZING;
      restorePending = true;
    } catch (CheckpointException e) {
      end();
      finish(e, null);
      throw e;
    }
  }

  /**
   * On the host's thread, before a request is handled: in a clone, tells resources of the restore.
   *
   * @throws RestoreException if one failed and no thread of the function waits to be told
   */
  public void restoreIfPending() throws RestoreException {
    if (restorePending) {
      restorePending = false;
      restore();
    }
  }

  private void restore() throws RestoreException {
    if (phase != Phase.FREEZING) {
      return;
    }
    phase = Phase.SERVING;
    RestoreException failed = null;
    try {
      context.afterRestore(null);
    } catch (RestoreException e) {
      failed = e;
    }
    end();
    if (!finish(null, failed) && failed != null) {
      throw failed;
    }
  }

  /** Lets the thread go on that waits; false if none does. */
  private synchronized boolean finish(
      @Nullable CheckpointException refused, @Nullable RestoreException failed) {
    Waiting one = waiting;
    if (one == null) {
      return false;
    }
    one.refused = refused;
    one.failed = failed;
    one.over = true;
    waiting = null;
    notifyAll();
    return true;
  }
}
