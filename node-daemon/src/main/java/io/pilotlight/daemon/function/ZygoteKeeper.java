package io.pilotlight.daemon.function;

import io.pilotlight.daemon.time.Background;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.Zygote;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a version of a function a new zygote when it has lost its own. Until then it is served by
 * what waits, by its image and by cold starts. Pauses grow while builds fail or zygotes do not live
 * long; a fault that another attempt hardly cures is given up after {@value #MAX_HOPELESS_ATTEMPTS}
 * attempts. Thread-safe.
 */
final class ZygoteKeeper {
  private static final Logger log = LoggerFactory.getLogger(ZygoteKeeper.class);
  private static final int MAX_HOPELESS_ATTEMPTS = 5;
  private static final int MAX_DOUBLINGS = 6;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

  /** A zygote that lived this long did not die of what it is. */
  private static final Duration GOOD_LIFE = Duration.ofMinutes(1);

  private final ZygoteBuilder builder;
  private final ImageKeeper images;
  private final NodeClock clock;
  private final Background background;

  ZygoteKeeper(ZygoteBuilder builder, ImageKeeper images, NodeClock clock, Background background) {
    this.builder = builder;
    this.images = images;
    this.clock = clock;
    this.background = background;
  }

  /** Takes a zygote into use and rebuilds it when it is lost. */
  void install(ServedFunction function, Deployment deployment, Zygote zygote) {
    install(function, deployment, zygote, 0);
  }

  private void install(ServedFunction function, Deployment deployment, Zygote zygote, int attempt) {
    deployment.install(zygote);
    function.lastError(null);
    long installedNanos = clock.nanoTime();
    var unused =
        zygote
            .lost()
            .thenAccept(
                status -> lost(function, deployment, zygote, status, installedNanos, attempt));
    images.keep(deployment, zygote, () -> imageGivenUp(function, deployment));
  }

  /**
   * The image cannot be restored any more. If there is no zygote in memory either, and no loss of
   * one that is seen to already, nothing makes clones.
   */
  void imageGivenUp(ServedFunction function, Deployment deployment) {
    if (deployment.zygote() == null && !deployment.zygoteLost()) {
      log.atWarn()
          .addKeyValue("function", function.name())
          .log("neither zygote nor image; cold starts until the zygote is rebuilt");
      var unused = rebuild(function, deployment, 1);
    }
  }

  private void lost(
      ServedFunction function,
      Deployment deployment,
      Zygote zygote,
      ExitStatus status,
      long installedNanos,
      int attempt) {
    if (!deployment.uninstall(zygote) || deployment.retired()) {
      return; // it was closed on purpose
    }
    function.lastError("zygote " + zygote.id() + " was lost: it " + status);
    log.atWarn()
        .addKeyValue("function", function.name())
        .addKeyValue("zygote", zygote.id())
        .addKeyValue("cause", status)
        .log("zygote lost; slower starts until it is rebuilt");
    boolean good = clock.nanoTime() - installedNanos >= GOOD_LIFE.toNanos();
    if (good || attempt == 0) {
      var unused = rebuild(function, deployment, good ? 0 : 1);
    } else {
      later(function, deployment, attempt);
    }
  }

  private void later(ServedFunction function, Deployment deployment, int attempt) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(attempt - 1, MAX_DOUBLINGS));
    background.after(
        pause,
        () -> {
          var unused = rebuild(function, deployment, attempt + 1);
        });
  }

  /**
   * Builds a zygote for a version that has none.
   *
   * @param attempt how many attempts in a row have come to nothing, this one included
   * @return completes when the attempt has come to its end, good or bad
   */
  CompletableFuture<Void> rebuild(ServedFunction function, Deployment deployment, int attempt) {
    if (deployment.retired()) {
      return CompletableFuture.completedFuture(null);
    }
    return builder
        .build(function, deployment.definition())
        .handle(
            (zygote, failure) -> {
              if (failure == null) {
                log.atInfo()
                    .addKeyValue("function", function.name())
                    .addKeyValue("zygote", zygote.id())
                    .log("zygote rebuilt");
                install(function, deployment, zygote, attempt);
              } else {
                failed(function, deployment, unwrapped(failure), attempt);
              }
              return null;
            });
  }

  private void failed(
      ServedFunction function, Deployment deployment, Throwable failure, int attempt) {
    if (deployment.retired() || failure instanceof CancellationException) {
      return;
    }
    boolean hopeless =
        failure instanceof BuildException build && build.fault() != BuildException.Fault.SYSTEM;
    boolean retry = !hopeless || attempt < MAX_HOPELESS_ATTEMPTS;
    function.lastError("zygote not built: " + failure.getMessage());
    log.atError()
        .addKeyValue("function", function.name())
        .addKeyValue("attempt", attempt)
        .addKeyValue("retry", retry)
        .addKeyValue("cause", failure.getMessage())
        .log("zygote not built; cold starts until it is, or until the function is deployed again");
    if (retry) {
      later(function, deployment, Math.max(1, attempt));
    }
  }

  static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure.getCause();
    return failure instanceof CompletionException && cause != null ? cause : failure;
  }
}
