package io.pilotlight.zygote;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** Ptrace wants one platform thread for all its requests; a caller's may be anything. */
final class TracerThread {
  private TracerThread() {}

  /**
   * Runs something on a thread of its own.
   *
   * @param pid the process that is traced, for the thread's name
   * @return completes with its result, or with what it threw
   */
  static <T> CompletableFuture<T> start(int pid, Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread tracer =
        new Thread(
            () -> {
              try {
                result.complete(work.call());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            },
            "pilotlight-tracer-" + pid);
    tracer.setDaemon(true);
    tracer.start();
    return result;
  }
}
