package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.time.BackgroundThreads;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.Zygote;
import io.pilotlight.zygote.ZygoteHost;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/** Builds zygotes, a few at a time; the others queue. Thread-safe. */
@SuppressWarnings("CollectionUndefinedEquality") // futures are told apart by identity
public final class ZygoteBuilder implements AutoCloseable {
  private final ZygoteHost host;
  private final ObjectMapper json;
  private final ExecutorService threads;
  private final Set<CompletableFuture<Zygote>> pending = ConcurrentHashMap.newKeySet();

  /**
   * As described.
   *
   * @param maxBuilds how many are built at once
   */
  public ZygoteBuilder(ZygoteHost host, ObjectMapper json, int maxBuilds) {
    this.host = host;
    this.json = json;
    threads = Executors.newFixedThreadPool(maxBuilds, BackgroundThreads.named("build"));
  }

  /**
   * Builds a zygote in the background; {@link ServedFunction#build} shows how far it is.
   *
   * @return completes with the zygote, or with the {@link BuildException}, or with a {@link
   *     CancellationException} if the daemon stops
   */
  CompletableFuture<Zygote> build(ServedFunction function, FunctionDefinition definition) {
    CompletableFuture<Zygote> result = new CompletableFuture<>();
    function.build(BuildStatus.queued(definition.version()));
    pending.add(result);
    try {
      threads.execute(() -> build(function, definition, result));
    } catch (RejectedExecutionException e) {
      function.build(null);
      pending.remove(result);
      result.completeExceptionally(stopping());
    }
    return result;
  }

  private void build(
      ServedFunction function, FunctionDefinition definition, CompletableFuture<Zygote> result) {
    try {
      Zygote zygote =
          host.build(
              definition.spec(),
              definition.warmup(json),
              definition.initTimeout(),
              (stage, done, total) ->
                  function.build(
                      new BuildStatus(
                          definition.version(),
                          stage.name().toLowerCase(Locale.ROOT),
                          done,
                          total)));
      // Nothing of it is shown any more when whoever waits for it goes on.
      function.build(null);
      if (!result.complete(zygote)) {
        zygote.close(); // given up meanwhile
      }
    } catch (BuildException | RuntimeException e) {
      function.build(null);
      result.completeExceptionally(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      function.build(null);
      result.completeExceptionally(stopping());
    } finally {
      pending.remove(result);
    }
  }

  private static CancellationException stopping() {
    return new CancellationException("the daemon is stopping; the build was given up");
  }

  /** Gives up every build, whether it runs or waits. */
  @Override
  public void close() {
    threads.shutdownNow();
    pending.forEach(result -> result.completeExceptionally(stopping()));
  }
}
