package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.time.Background;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Zygote;
import io.pilotlight.zygote.ZygoteHost;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a version of a function an image of its zygote, and holds a process that the image is
 * restored in, ready to be cloned. All of it happens in the background: until it has come to its
 * end, and if it fails, the function is served by other starts. Thread-safe.
 */
public final class ImageKeeper {
  private static final Logger log = LoggerFactory.getLogger(ImageKeeper.class);
  private static final int MAX_ATTEMPTS = 5;
  private static final Duration PAUSE = Duration.ofSeconds(1);

  /** A process that lived this long did not die of its image. */
  private static final Duration GOOD_LIFE = Duration.ofMinutes(1);

  private final ZygoteHost host;
  private final ImageStore store;
  private final ObjectMapper json;
  private final NodeClock clock;
  private final Background background;
  private final Executor executor;

  /**
   * As described.
   *
   * @param host writes and restores images
   * @param store where they are
   * @param json writes the events that first calls are rehearsed with
   */
  public ImageKeeper(
      ZygoteHost host,
      ImageStore store,
      ObjectMapper json,
      NodeClock clock,
      Background background) {
    this.host = host;
    this.store = store;
    this.json = json;
    this.clock = clock;
    this.background = background;
    this.executor = background::run;
  }

  /**
   * Sees that there is an image of a zygote that has just been taken into use.
   *
   * @param givenUp is run if its process is lost later, again and again
   */
  void keep(Deployment deployment, Zygote zygote, Runnable givenUp) {
    if (deployment.definition().settings().noImage()) {
      return;
    }
    background.run(
        () -> {
          if (!zygote.adopted() || !restoreStored(deployment, givenUp)) {
            write(deployment, zygote, givenUp);
          }
        });
  }

  /**
   * Restores the image of a version that has no zygote.
   *
   * @param givenUp is run if its process is lost later, again and again
   * @return completes with whether the function can be served by it
   */
  CompletableFuture<Boolean> restore(Deployment deployment, Runnable givenUp) {
    if (deployment.definition().settings().noImage()) {
      return CompletableFuture.completedFuture(false);
    }
    return CompletableFuture.supplyAsync(() -> restoreStored(deployment, givenUp), executor);
  }

  private boolean restoreStored(Deployment deployment, Runnable givenUp) {
    try {
      for (ImageSummary image : store.of(deployment.spec())) {
        if (restore(deployment, image, 1, givenUp)) {
          return true;
        }
      }
    } catch (IOException e) {
      log.atError().addKeyValue("cause", e).log("images cannot be looked for");
    }
    return false;
  }

  private void write(Deployment deployment, Zygote zygote, Runnable givenUp) {
    Path directory = store.of(zygote.id());
    remove(directory); // one that cannot be restored
    try {
      ImageSummary image = host.writeImage(zygote, directory);
      log.atInfo()
          .addKeyValue("function", deployment.definition().name())
          .addKeyValue("zygote", zygote.id())
          .addKeyValue("bytes", image.bytes())
          .log("image written");
      removeOthers(deployment, image);
      host.rehearse(directory, deployment.definition().warmup(json));
      restore(deployment, image, 1, givenUp);
    } catch (ImageException e) {
      failed(deployment, "image not written", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (deployment.imageUnwanted()) {
      remove(directory); // it was written meanwhile
    }
  }

  /** An image of an earlier zygote of the same version. */
  private void removeOthers(Deployment deployment, ImageSummary image) {
    try {
      for (ImageSummary other : store.of(deployment.spec())) {
        if (!other.directory().equals(image.directory())) {
          remove(other.directory());
        }
      }
    } catch (IOException e) {
      log.atWarn().addKeyValue("cause", e).log("images cannot be looked for");
    }
  }

  private boolean restore(
      Deployment deployment, ImageSummary image, int attempt, Runnable givenUp) {
    try {
      Zygote blank = host.restore(image.directory(), deployment.definition().settings().replay());
      deployment.install(new Deployment.Image(image, blank));
      long startNanos = clock.nanoTime();
      var unused =
          blank
              .lost()
              .thenAccept(
                  status -> {
                    if (deployment.uninstallImage(blank) && !deployment.retired()) {
                      boolean good = clock.nanoTime() - startNanos >= GOOD_LIFE.toNanos();
                      lost(deployment, image, status, good ? 0 : attempt, givenUp);
                    }
                  });
      return true;
    } catch (ImageException e) {
      failed(deployment, "image not restored", e);
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * It was not closed on purpose.
   *
   * @param attempts how many in a row have come to this
   */
  private void lost(
      Deployment deployment,
      ImageSummary image,
      ExitStatus status,
      int attempts,
      Runnable givenUp) {
    boolean again = attempts < MAX_ATTEMPTS;
    log.atWarn()
        .addKeyValue("function", deployment.definition().name())
        .addKeyValue("image", image.zygote())
        .addKeyValue("cause", status)
        .addKeyValue("again", again)
        .log("the process of an image was lost");
    background.after(
        PAUSE.multipliedBy(Math.max(0, attempts - 1L)),
        () -> {
          boolean restored =
              again && !deployment.retired() && restore(deployment, image, attempts + 1, givenUp);
          if (!restored && !deployment.retired()) {
            givenUp.run();
          }
        });
  }

  private static void failed(Deployment deployment, String what, ImageException failure) {
    deployment.imageFailed(failure);
    log.atWarn()
        .addKeyValue("function", deployment.definition().name())
        .addKeyValue("reason", Deployment.reason(failure))
        .addKeyValue("cause", failure.getMessage())
        .log(what + "; the function is served by other starts");
  }

  /** A version is served no more: its images go. */
  void discard(Deployment deployment) {
    deployment.discardImage();
    try {
      store.of(deployment.spec()).forEach(image -> remove(image.directory()));
    } catch (IOException e) {
      log.atWarn().addKeyValue("cause", e).log("images cannot be looked for");
    }
  }

  /** Removes the images of no stored function. Called once, at start. */
  void removeAllBut(List<Deployment> served) {
    try {
      for (Path image : store.images()) {
        if (!belongs(image, served)) {
          remove(image);
        }
      }
    } catch (IOException e) {
      log.atWarn().addKeyValue("cause", e).log("images cannot be looked for");
    }
  }

  private static boolean belongs(Path image, List<Deployment> served) {
    try {
      ImageSummary summary = ImageStore.summary(image);
      return served.stream().anyMatch(deployment -> deployment.spec().equals(summary.subject()));
    } catch (ImageException e) {
      log.atWarn().addKeyValue("cause", e.getMessage()).log("unusable image removed");
      return false;
    }
  }

  private void remove(Path image) {
    try {
      store.remove(image);
    } catch (IOException e) {
      log.atWarn()
          .addKeyValue("image", image)
          .addKeyValue("cause", e)
          .log("image cannot be removed");
    }
  }
}
