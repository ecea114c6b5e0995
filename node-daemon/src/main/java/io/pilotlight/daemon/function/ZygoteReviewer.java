package io.pilotlight.daemon.function;

import io.pilotlight.cgroup.MachineMemory;
import io.pilotlight.daemon.function.ForkComparison.Measured;
import io.pilotlight.daemon.function.ForkComparison.Verdict;
import io.pilotlight.daemon.function.ZygoteTenure.End;
import io.pilotlight.daemon.function.ZygoteTenure.Reason;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends zygotes in memory that are not worth it. Only those go whose image can be cloned at this
 * moment, and whose function leaves the choice to the daemon or wants none; clones that were made
 * of them, or asked for, are not concerned.
 *
 * <p>Used by one thread at a time, in the background.
 */
public final class ZygoteReviewer {
  private static final Logger log = LoggerFactory.getLogger(ZygoteReviewer.class);

  /** Memory is short if some process waited for it in this share of the last ten seconds. */
  static final double STALLED_PERCENT = 10;

  /** It is short too if less than this part of it can be had. */
  static final double AVAILABLE_PART = 0.05;

  /** After one was ended because memory is short: what that gave back shows within this time. */
  static final Duration PRESSURE_PAUSE = Duration.ofSeconds(10);

  /** How short memory is. */
  @FunctionalInterface
  public interface MemorySource {
    /** Reads it. */
    MachineMemory.Reading read() throws IOException;
  }

  private final FunctionRegistry registry;
  private final MemorySource memory;
  private final long budgetBytes;
  private final NodeClock clock;
  private final Consumer<Reason> onEnded;
  private long pressureNanos;
  private boolean unreadable;

  /**
   * As described.
   *
   * @param memory how short memory is
   * @param budgetBytes what all zygotes in memory may have together; 0 for no limit
   * @param onEnded is told of each end
   */
  public ZygoteReviewer(
      FunctionRegistry registry,
      MemorySource memory,
      long budgetBytes,
      NodeClock clock,
      Consumer<Reason> onEnded) {
    this.registry = registry;
    this.memory = memory;
    this.budgetBytes = budgetBytes;
    this.clock = clock;
    this.onEnded = onEnded;
    pressureNanos = clock.nanoTime() - PRESSURE_PAUSE.toNanos();
  }

  /**
   * A zygote that may be ended.
   *
   * @param value what it is good for: calls of its function for each byte
   */
  private record Held(
      String function, Deployment deployment, Zygote zygote, long residentBytes, double value) {}

  /** Looks at all zygotes once. Called every now and then. */
  public void review() {
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      Zygote zygote = current == null ? null : current.zygote();
      if (current != null && zygote != null && current.image() != null) {
        useless(current).ifPresent(end -> end(function.name(), current, zygote, end));
      }
    }
    if (budgetBytes > 0) {
      keepBudget();
    }
    relieve();
  }

  private Optional<End> useless(Deployment deployment) {
    ZygoteTenure tenure = deployment.tenure();
    if (tenure.mode() == ZygoteMode.IMAGE) {
      return end(Reason.IMAGE_MODE, "it was deployed with zygoteMode 'image'");
    }
    Duration patience = Duration.ofSeconds(deployment.definition().settings().idleSeconds());
    if (tenure.mode() != ZygoteMode.AUTO || tenure.forkAskedFor(patience)) {
      return Optional.empty();
    }
    Measured measured = tenure.measured();
    if (measured.verdict() == Verdict.DOES_NOT_PAY) {
      return end(
          Reason.DOES_NOT_PAY,
          "the last %d first calls by a fork took %s, the last %d by a restore %s (medians); a fork"
                  .formatted(
                      measured.forks(),
                      millis(measured.forkNanos()),
                      measured.restores(),
                      millis(measured.restoreNanos()))
              + " pays if it takes "
              + Math.round(ForkComparison.MARGIN * 100)
              + " % less");
    }
    Duration idle = tenure.idle();
    return measured.verdict() == Verdict.UNDECIDED && idle.compareTo(patience) >= 0
        ? end(
            Reason.UNUSED,
            "no call needed a fork for "
                + idle.toSeconds()
                + " s, and too few calls were measured to know whether forks pay")
        : Optional.empty();
  }

  private static String millis(OptionalLong nanos) {
    return String.format(Locale.ROOT, "%.2f ms", nanos.orElse(0) / 1e6);
  }

  private Optional<End> end(Reason reason, String message) {
    return Optional.of(new End(reason, message, clock.epochMillis()));
  }

  /** Those that may be ended whatever was measured, the least valuable first. */
  private List<Held> dispensable() {
    List<Held> found = new ArrayList<>();
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      Zygote zygote = current == null ? null : current.zygote();
      if (current != null
          && zygote != null
          && current.image() != null
          && current.tenure().mode() == ZygoteMode.AUTO) {
        long residentBytes = zygote.residentBytes();
        double value = current.tenure().demand() / Math.max(1, residentBytes);
        found.add(new Held(function.name(), current, zygote, residentBytes, value));
      }
    }
    found.sort(Comparator.comparingDouble(Held::value).thenComparing(Held::function));
    return found;
  }

  private void keepBudget() {
    long residentBytes = 0;
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      Zygote zygote = current == null ? null : current.zygote();
      residentBytes += zygote == null ? 0 : zygote.residentBytes();
    }
    if (residentBytes <= budgetBytes) {
      return;
    }
    for (Held held : dispensable()) {
      if (residentBytes <= budgetBytes) {
        return;
      }
      String message =
          "zygotes had %s of the %s that zygoteMemoryMib allows, and this one had the fewest calls"
              .formatted(mebibytes(residentBytes), mebibytes(budgetBytes));
      if (end(held, Reason.BUDGET, message + " for its size")) {
        residentBytes -= held.residentBytes();
      }
    }
  }

  private void relieve() {
    if (clock.nanoTime() - pressureNanos < PRESSURE_PAUSE.toNanos()) {
      return;
    }
    Optional<String> shortage = shortage();
    if (shortage.isEmpty()) {
      return;
    }
    for (Held held : dispensable()) {
      if (end(
          held,
          Reason.MEMORY_PRESSURE,
          shortage.get() + "; of all zygotes this one had the fewest calls for its size")) {
        pressureNanos = clock.nanoTime();
        return;
      }
    }
  }

  /** How memory is short; empty if it is not. */
  private Optional<String> shortage() {
    MachineMemory.Reading reading;
    try {
      reading = memory.read();
      unreadable = false;
    } catch (IOException e) {
      if (!unreadable) {
        log.atWarn().addKeyValue("cause", e).log("how short memory is cannot be read");
      }
      unreadable = true;
      return Optional.empty();
    }
    for (MachineMemory.Place place : reading.places()) {
      if (place.availableBytes() < place.totalBytes() * AVAILABLE_PART) {
        return Optional.of(
            "%s has %s of %s left"
                .formatted(
                    place.name(),
                    mebibytes(place.availableBytes()),
                    mebibytes(place.totalBytes())));
      }
    }
    double stalled = reading.stalledPercent().orElse(0);
    return stalled >= STALLED_PERCENT
        ? Optional.of("in %.0f %% of the last 10 s a process waited for memory".formatted(stalled))
        : Optional.empty();
  }

  private static String mebibytes(long bytes) {
    return (bytes >> 20) + " MiB";
  }

  private boolean end(Held held, Reason reason, String message) {
    return end(
        held.function(),
        held.deployment(),
        held.zygote(),
        new End(reason, message, clock.epochMillis()));
  }

  private boolean end(String function, Deployment deployment, Zygote zygote, End end) {
    long residentBytes = zygote.residentBytes();
    if (!deployment.endZygote(zygote, end)) {
      return false; // lost or replaced meanwhile
    }
    onEnded.accept(end.reason());
    log.atInfo()
        .addKeyValue("function", function)
        .addKeyValue("zygote", zygote.id())
        .addKeyValue("reason", end.reason().word())
        .addKeyValue("residentBytes", residentBytes)
        .addKeyValue("cause", end.message())
        .log("zygote in memory ended; its image serves");
    return true;
  }
}
