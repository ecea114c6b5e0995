package io.pilotlight.daemon.function;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A function under its name, whatever its version. Thread-safe and without locks. */
public final class ServedFunction {
  /** What its owner can expect of it. */
  public enum State {
    /** Its first zygote is being built; it cannot be invoked yet. */
    BUILDING,
    /** It has a zygote, or an image that serves in its place. */
    READY,
    /** It is served, while a zygote for it or for its next version is being built. */
    REBUILDING,
    /** It has no zygote that it should have, or nothing to clone at all. */
    DEGRADED
  }

  private final String name;
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicBoolean claimed = new AtomicBoolean();
  private volatile @Nullable Deployment current;
  private volatile @Nullable BuildStatus build;
  private volatile @Nullable String lastError;
  private volatile boolean removed;

  ServedFunction(String name) {
    this.name = name;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** The version that is served, or null while the first is being built. */
  public @Nullable Deployment current() {
    return current;
  }

  /**
   * The version that is served, for one invocation: the caller calls {@link Deployment#leave} in
   * the end. Null while the first is being built, and after the function was removed.
   */
  public @Nullable Deployment lease() {
    for (Deployment latest = current; latest != null; latest = current) {
      if (latest.enter()) {
        return latest;
      }
    }
    return null;
  }

  /** Counts an invocation in, unless {@code limit} of them are running. */
  public boolean admit(int limit) {
    for (int count = running.get(); count < limit; count = running.get()) {
      if (running.compareAndSet(count, count + 1)) {
        return true;
      }
    }
    return false;
  }

  /** Counts an invocation out. */
  public void dismiss() {
    running.decrementAndGet();
  }

  /** How many invocations are running. */
  public int running() {
    return running.get();
  }

  /** The build that is under way, or null. */
  public @Nullable BuildStatus build() {
    return build;
  }

  /** What went wrong last, until something went right again; or null. */
  public @Nullable String lastError() {
    return lastError;
  }

  /** Whether it has been removed. */
  public boolean removed() {
    return removed;
  }

  /** What its owner can expect of it. */
  public State state() {
    Deployment serving = current;
    if (serving == null) {
      return State.BUILDING;
    }
    if (build != null) {
      return State.REBUILDING;
    }
    boolean lacks = serving.zygote() == null && (serving.zygoteLost() || serving.image() == null);
    return lacks ? State.DEGRADED : State.READY;
  }

  void build(@Nullable BuildStatus status) {
    build = status;
  }

  void lastError(@Nullable String message) {
    lastError = message;
  }

  /** Serves {@code next} from now on; returns what was served until now. */
  @Nullable Deployment serve(@Nullable Deployment next) {
    Deployment previous = current;
    current = next;
    return previous;
  }

  void markRemoved() {
    removed = true;
  }

  /** Only one deployment or removal at a time; false if one is under way. */
  boolean claim() {
    return claimed.compareAndSet(false, true);
  }

  void unclaim() {
    claimed.set(false);
  }
}
