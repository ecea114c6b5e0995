package io.pilotlight.daemon.function;

import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.ImageSummary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes which images are used, and removes some when all together take more of the disk than they
 * may: first of functions that have a zygote in memory, and only if that is not enough of others,
 * which then start cold until their zygote is rebuilt; of each kind those first that have not been
 * used for long and are large. Clones that were made of an image live on, and until they end the
 * file system keeps its blocks.
 *
 * <p>Used by one thread at a time, in the background, and by the same as {@link ZygoteReviewer}: a
 * zygote in memory and its image must not go at once.
 */
public final class ImageReviewer {
  private static final Logger log = LoggerFactory.getLogger(ImageReviewer.class);

  /** How exact the time of the last use is on the disk. */
  static final Duration USE_NOTED = Duration.ofMinutes(1);

  private final FunctionRegistry registry;
  private final ImageStore store;
  private final long budgetBytes;
  private final NodeClock clock;
  private final Consumer<Reason> onRemoved;
  private final Consumer<ServedFunction> onNothingLeft;
  private final Map<Path, Long> notedEpochMillis = new HashMap<>();
  private boolean unreadable;

  /** Why an image was removed. */
  public enum Reason {
    /** The budget; its function has a zygote in memory. */
    BUDGET,
    /** The budget, and there was no other image to remove; its function starts cold. */
    BUDGET_ONLY_START;

    /** As metrics have it. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * As described.
   *
   * @param store where images are
   * @param budgetBytes what they may take together; 0 for no limit
   * @param onRemoved is told of each that is removed
   * @param onNothingLeft is told of a function that has neither image nor zygote any more
   */
  public ImageReviewer(
      FunctionRegistry registry,
      ImageStore store,
      long budgetBytes,
      NodeClock clock,
      Consumer<Reason> onRemoved,
      Consumer<ServedFunction> onNothingLeft) {
    this.registry = registry;
    this.store = store;
    this.budgetBytes = budgetBytes;
    this.clock = clock;
    this.onRemoved = onRemoved;
    this.onNothingLeft = onNothingLeft;
  }

  /** An image that is in use. */
  private record Held(ServedFunction function, Deployment deployment, Deployment.Image image) {
    /** As it is by now. */
    ImageSummary summary() {
      ImageSummary written = image.summary();
      return new ImageSummary(
          written.directory(),
          written.zygote(),
          written.created(),
          written.subject(),
          written.bytes(),
          written.storedBytes(),
          Math.max(written.usedEpochMillis(), deployment.imageUsedEpochMillis()));
    }
  }

  /** Looks at all images once. Called every now and then. */
  public void review() {
    List<Held> held = held();
    notedEpochMillis
        .keySet()
        .retainAll(held.stream().map(image -> image.image().summary().directory()).toList());
    held.forEach(this::noteUse);
    if (budgetBytes > 0) {
      keepBudget(held);
    }
  }

  private List<Held> held() {
    List<Held> held = new ArrayList<>();
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      Deployment.Image image = current == null ? null : current.image();
      if (current != null && image != null) {
        held.add(new Held(function, current, image));
      }
    }
    return held;
  }

  private void noteUse(Held held) {
    Path directory = held.image().summary().directory();
    long used = held.deployment().imageUsedEpochMillis();
    if (used - notedEpochMillis.getOrDefault(directory, 0L) < USE_NOTED.toMillis()) {
      return;
    }
    notedEpochMillis.put(directory, used);
    try {
      store.used(directory, used);
    } catch (IOException e) {
      log.atDebug().addKeyValue("image", directory).addKeyValue("cause", e).log("use not noted");
    }
  }

  private void keepBudget(List<Held> held) {
    long stored = storedBytes();
    if (stored <= budgetBytes) {
      return;
    }
    Comparator<ImageSummary> order = ImageStore.leastValuableFirst(clock.epochMillis());
    held.sort(
        Comparator.comparing((Held image) -> image.deployment().zygote() == null)
            .thenComparing(Held::summary, order));
    long inUse = held.stream().mapToLong(image -> image.image().summary().storedBytes()).sum();
    for (Held image : held) {
      // What is in no use was written just now, or is about to go. It is no reason to take from a
      // function all that it has: the next review sees whose it is.
      boolean onlyStart = image.deployment().zygote() == null;
      if (stored <= budgetBytes || (onlyStart && inUse <= budgetBytes)) {
        return;
      }
      if (remove(image, stored)) {
        long bytes = image.image().summary().storedBytes();
        stored -= bytes;
        inUse -= bytes;
      }
    }
  }

  /** Of all that are there, also of those that are in no use at the moment. */
  private long storedBytes() {
    long sum = 0;
    try {
      for (Path image : store.images()) {
        sum += storedBytes(image);
      }
      unreadable = false;
    } catch (IOException e) {
      if (!unreadable) {
        log.atWarn().addKeyValue("cause", e).log("images cannot be looked for");
      }
      unreadable = true;
    }
    return sum;
  }

  private long storedBytes(Path image) {
    try {
      return store.storedBytes(image);
    } catch (IOException e) {
      return 0; // It went meanwhile.
    }
  }

  private boolean remove(Held held, long storedBytes) {
    boolean onlyStart = held.deployment().zygote() == null;
    ImageSummary summary = held.summary();
    String message =
        "The image was removed: images took %s of the %s of disk that imageBudgetMib allows, "
                .formatted(mebibytes(storedBytes), mebibytes(budgetBytes))
            + (onlyStart
                ? "and no function had a zygote in memory and an image"
                : "its function has its zygote in memory")
            + "; of those this one, of "
            + mebibytes(summary.storedBytes())
            + ", was the least used for its size. With the next deploy it is written again.";
    ImageException why = new ImageException(ImageException.Reason.BUDGET, message);
    if (!held.deployment().evictImage(held.image(), why)) {
      return false; // lost or replaced meanwhile
    }
    try {
      store.remove(summary.directory());
    } catch (IOException e) {
      log.atWarn()
          .addKeyValue("image", summary.directory())
          .addKeyValue("cause", e)
          .log("image cannot be removed");
    }
    Reason reason = onlyStart ? Reason.BUDGET_ONLY_START : Reason.BUDGET;
    onRemoved.accept(reason);
    log.atInfo()
        .addKeyValue("function", held.function().name())
        .addKeyValue("image", summary.zygote())
        .addKeyValue("reason", reason.word())
        .addKeyValue("storedBytes", summary.storedBytes())
        .addKeyValue("cause", message)
        .log("image removed");
    if (onlyStart) {
      onNothingLeft.accept(held.function());
    }
    return true;
  }

  private static String mebibytes(long bytes) {
    return (bytes >> 20) + " MiB";
  }
}
