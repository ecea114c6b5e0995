package io.pilotlight.zygote;

import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.KernelException;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Holds the first process of a PID namespace, and kills it when the last of those that it was made
 * for has ended: a zygote's clones go on serving when the zygote is lost. Thread-safe.
 */
final class PidNamespace {
  private final int keeperPid;
  private final ProcessWatch keeper;
  private int members;

  private PidNamespace(int keeperPid, ProcessWatch keeper) {
    this.keeperPid = keeperPid;
    this.keeper = keeper;
  }

  /**
   * Of a keeper that runs.
   *
   * @throws IOException if it has ended, and its namespace with it
   */
  static PidNamespace of(int keeperPid, EventLoop loop) throws IOException {
    Optional<ProcessWatch> keeper = ProcessWatch.of(keeperPid, loop);
    return new PidNamespace(
        keeperPid,
        keeper.orElseThrow(() -> new KernelException("pidfd_open", "pid " + keeperPid, 3)));
  }

  /** The first process. */
  int keeperPid() {
    return keeperPid;
  }

  /** Keeps the namespace until {@code end} has completed. */
  void keepUntil(CompletableFuture<ExitStatus> end) {
    synchronized (this) {
      members++;
    }
    var unused = end.whenComplete((status, failure) -> left());
  }

  private synchronized void left() {
    members--;
    if (members == 0) {
      keeper.kill();
    }
  }

  /** Completes when the first process has ended: nothing is left in the namespace then. */
  CompletableFuture<ExitStatus> exit() {
    return keeper.exit();
  }
}
