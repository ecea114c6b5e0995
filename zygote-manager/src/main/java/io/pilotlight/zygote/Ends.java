package io.pilotlight.zygote;

import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits for processes to end, but not for ever. Stateless. */
final class Ends {
  private Ends() {}

  /**
   * Whether they all end within this time. False also if this thread is interrupted, which it then
   * still is.
   */
  static boolean within(Duration time, Collection<CompletableFuture<ExitStatus>> exits) {
    try {
      CompletableFuture.allOf(exits.toArray(CompletableFuture[]::new))
          .get(time.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IllegalStateException("the end of a process cannot be told", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
