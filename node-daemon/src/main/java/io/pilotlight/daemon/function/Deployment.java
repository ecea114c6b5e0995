package io.pilotlight.daemon.function;

import io.pilotlight.daemon.pool.ForkAheadPool;
import io.pilotlight.daemon.pool.ServingJvm;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.daemon.pool.WarmStack;
import io.pilotlight.daemon.time.Background;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.ImageException;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Zygote;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One version of a function while it is served: its zygote, if it has one at the moment, and its
 * processes.
 *
 * <p>It is counted by its users: the function, as long as this is its current version, and each
 * invocation that it serves. When the last one leaves, it is disposed of in the background. So a
 * version can be replaced at any moment, and no invocation ever finds its processes gone.
 *
 * <p>Thread-safe, and no method that an invocation calls waits for a lock.
 */
public final class Deployment {
  /** How long a process that is no longer needed may take for its shutdown hooks. */
  private static final Duration STOP_GRACE = Duration.ofSeconds(2);

  private final FunctionDefinition definition;
  private final FunctionSpec spec;
  private final NodeClock clock;
  private final Background background;
  private final Map<String, ServingJvm> jvms = new ConcurrentHashMap<>();
  private final WarmStack warm;
  private final ForkAheadPool pool;
  private final Semaphore coldStarts;
  private final AtomicInteger users = new AtomicInteger(1);
  private final AtomicReference<@Nullable Zygote> zygote = new AtomicReference<>();
  private final AtomicReference<@Nullable Image> image = new AtomicReference<>();
  private volatile @Nullable ImageException imageFailure;
  private volatile boolean imageUnwanted;
  private volatile long imageUsedEpochMillis;
  private final AtomicBoolean zygoteLost = new AtomicBoolean();
  private final ZygoteTenure tenure;
  private final ReplayTrial forkReplay;
  private final ReplayTrial restoreReplay;
  private final CompletableFuture<Void> disposed = new CompletableFuture<>();
  private final AtomicBoolean retired = new AtomicBoolean();

  /**
   * Has no zygote and no process at first.
   *
   * @param definition what is served
   * @param policy the daemon's limits
   * @param clock the time
   * @param background fills the pool, stops processes
   */
  public Deployment(
      FunctionDefinition definition, Policy policy, NodeClock clock, Background background) {
    this.definition = definition;
    this.spec = definition.spec();
    this.clock = clock;
    this.background = background;
    FunctionSettings settings = definition.settings();
    warm = new WarmStack(Math.min(settings.concurrency(), policy.maxWarmPerFunction()));
    pool = new ForkAheadPool(definition.name(), settings.pool(), this::forkAhead, background);
    coldStarts = new Semaphore(policy.maxColdStartsPerFunction());
    tenure = new ZygoteTenure(settings.zygoteMode(), clock);
    forkReplay = new ReplayTrial(clock);
    restoreReplay = new ReplayTrial(clock);
  }

  /**
   * The daemon's limits on one function.
   *
   * @param maxWarmPerFunction how many processes that have served may wait
   * @param maxColdStartsPerFunction how many JVMs may start at once on behalf of invocations
   */
  public record Policy(int maxWarmPerFunction, int maxColdStartsPerFunction) {}

  /**
   * An image and the process that it is restored in.
   *
   * @param summary what it is
   * @param blank what its clones are made of
   */
  public record Image(ImageSummary summary, Zygote blank) {}

  /** What is served. */
  public FunctionDefinition definition() {
    return definition;
  }

  /** What its JVMs need to know. */
  public FunctionSpec spec() {
    return spec;
  }

  /** Limits how many JVMs start at once on behalf of its invocations. */
  public Semaphore coldStarts() {
    return coldStarts;
  }

  /** Begins to use it; false if it has been disposed of, and the function has a newer one. */
  boolean enter() {
    for (int count = users.get(); count > 0; count = users.get()) {
      if (users.compareAndSet(count, count + 1)) {
        return true;
      }
    }
    return false;
  }

  /** Ends the use that {@link #enter} began. */
  public void leave() {
    if (users.decrementAndGet() == 0) {
      background.run(this::dispose);
    }
  }

  /** The zygote that is forked at the moment, or null. */
  public @Nullable Zygote zygote() {
    return zygote.get();
  }

  /**
   * Takes a zygote into use and fills the pool. If this version has been retired meanwhile, the
   * zygote is closed.
   */
  void install(Zygote fresh) {
    fresh.replaying(definition.settings().replay());
    tenure.begin();
    zygote.set(fresh);
    zygoteLost.set(false);
    if (retired.get() && zygote.compareAndSet(fresh, null)) {
      fresh.close();
      return;
    }
    pool.restart();
  }

  /** Takes a lost zygote out of use; false if it was not in use. */
  boolean uninstall(Zygote lost) {
    boolean used = zygote.compareAndSet(lost, null);
    if (used) {
      zygoteLost.set(true);
    }
    return used;
  }

  /**
   * Ends a zygote that is not needed any more: the image serves in its place.
   *
   * @return false if it is not in use, or there is no image that can be cloned
   */
  boolean endZygote(Zygote unneeded, ZygoteTenure.End how) {
    if (image.get() == null || !zygote.compareAndSet(unneeded, null)) {
      return false;
    }
    tenure.ended(how);
    unneeded.retire();
    return true;
  }

  /** What its zygote in memory is good for. */
  public ZygoteTenure tenure() {
    return tenure;
  }

  /**
   * Whether the replay pays in clones of one kind of start.
   *
   * @param start {@link Start#FORK} or {@link Start#RESTORE}
   */
  public ReplayTrial replayTrial(Start start) {
    return start == Start.FORK ? forkReplay : restoreReplay;
  }

  /** Whether it had a zygote that has been lost, and has no other one yet. */
  public boolean zygoteLost() {
    return zygoteLost.get();
  }

  /** The image that is restored at the moment, or null. */
  public @Nullable Image image() {
    return image.get();
  }

  /** Takes an image into use, in the place of one that there may be. */
  void install(Image fresh) {
    fresh.blank().replaying(definition.settings().replay());
    Image previous = image.getAndSet(fresh);
    imageFailure = null;
    if (zygote.get() != null) {
      tenure.begin();
    }
    if (previous != null) {
      previous.blank().close();
    }
    if (retired.get() && image.compareAndSet(fresh, null)) {
      fresh.blank().close();
      return;
    }
    pool.restart();
  }

  /** Takes an image whose process was lost out of use; false if it was not in use. */
  boolean uninstallImage(Zygote lost) {
    Image current = image.get();
    return current != null && current.blank() == lost && image.compareAndSet(current, null);
  }

  /**
   * Takes an image out of use that is going to be removed. Clones that were made of it, or asked
   * for, are not concerned.
   *
   * @param why is told from now on
   * @return false if it is not in use
   */
  boolean evictImage(Image unneeded, ImageException why) {
    if (!image.compareAndSet(unneeded, null)) {
      return false;
    }
    imageFailure = why;
    unneeded.blank().retire();
    return true;
  }

  /** When a clone of an image was made last, in milliseconds since the epoch; 0 if none was. */
  long imageUsedEpochMillis() {
    return imageUsedEpochMillis;
  }

  /** There is no image, or it cannot be restored. */
  void imageFailed(ImageException failure) {
    imageFailure = failure;
  }

  /** Why there is no image although there should be one; or null. */
  public @Nullable ImageException imageFailure() {
    return imageFailure;
  }

  /** No later daemon will serve this version. */
  void discardImage() {
    imageUnwanted = true;
  }

  /** Whether an image of it must not stay. */
  boolean imageUnwanted() {
    return imageUnwanted;
  }

  /** A short word for metrics. */
  public static String reason(ImageException failure) {
    return "image-" + failure.reason().name().toLowerCase(Locale.ROOT);
  }

  /** Lets the zygote live on when this is disposed of: a later daemon adopts it. */
  void leaveZygote() {
    zygote.set(null);
  }

  /** Kills every process that serves an invocation. */
  void killBusy() {
    for (ServingJvm jvm : jvms.values()) {
      if (jvm.state() == ServingJvm.State.BUSY) {
        jvm.jvm().close();
      }
    }
  }

  /** Whether a newer version, or none, has taken its place. */
  public boolean retired() {
    return retired.get();
  }

  /** A process that served before, or null. */
  public @Nullable ServingJvm takeWarm() {
    return warm.take();
  }

  /** A clone that was forked ahead, or null. */
  public @Nullable ServingJvm takePooled() {
    return pool.take();
  }

  /** Enters a new process into the books, until it ends. */
  public ServingJvm register(FunctionJvm jvm, Start origin, ServingJvm.State state) {
    jvm.secrets(definition.settings().secrets().values());
    ServingJvm serving = new ServingJvm(jvm, origin, state, clock.epochMillis());
    jvms.put(jvm.id(), serving);
    tenure.cloned();
    if (origin == Start.RESTORE || (origin == Start.POOL && zygote.get() == null)) {
      imageUsedEpochMillis = clock.epochMillis();
    }
    var unused = jvm.exit().whenComplete((status, failure) -> ended(serving));
    return serving;
  }

  private void ended(ServingJvm jvm) {
    jvms.remove(jvm.jvm().id());
    if (!warm.remove(jvm)) {
      pool.ended(jvm);
    }
  }

  private @Nullable ServingJvm forkAhead() throws NotStartedException {
    Zygote current = cloneable();
    if (current == null) {
      return null;
    }
    try {
      return register(current.forkAhead(), Start.POOL, ServingJvm.State.WAITING);
    } catch (NotStartedException e) {
      if (!endedOnPurpose(current)) {
        throw e;
      }
      return forkAhead();
    }
  }

  /**
   * Whether a zygote that made no clone was ended meanwhile by {@link #endZygote}, or its image was
   * removed by {@link #evictImage}.
   */
  public boolean endedOnPurpose(Zygote failed) {
    if (failed.kind() == Zygote.Kind.MEMORY) {
      return tenure.end() != null && zygote.get() != failed;
    }
    ImageException failure = imageFailure;
    Image current = image.get();
    return failure != null
        && failure.reason() == ImageException.Reason.BUDGET
        && (current == null || current.blank() != failed);
  }

  /** What clones can be made of at the moment, the zygote in memory first; or null. */
  public @Nullable Zygote cloneable() {
    Zygote inMemory = zygote.get();
    if (inMemory != null) {
      return inMemory;
    }
    Image restored = image.get();
    return restored == null ? null : restored.blank();
  }

  /** Keeps a process that has served for the next invocation; false if it must be stopped. */
  public boolean keep(ServingJvm jvm) {
    if (retired.get() || definition.settings().oneShot() || !jvm.jvm().alive()) {
      return false;
    }
    if (!warm.keep(jvm, clock.nanoTime())) {
      return false;
    }
    // Retired or ended since the first look: whoever saw to that may have found it not yet here.
    return (!retired.get() && jvm.jvm().alive()) || !warm.remove(jvm);
  }

  /** Lets a process end, after its shutdown hooks. Does not wait. */
  public void stop(ServingJvm jvm) {
    jvm.jvm().stop(STOP_GRACE);
  }

  /** Fills the pool in the background. */
  public void refill() {
    pool.refill();
  }

  /** A pooled clone has served. */
  public void pooledServed() {
    pool.served();
  }

  /** Stops the processes that have been idle for too long. */
  void expireIdle() {
    long idleNanos = Duration.ofSeconds(definition.settings().idleSeconds()).toNanos();
    warm.takeExpired(clock.nanoTime(), idleNanos).forEach(this::stop);
  }

  /** Its processes at this moment. */
  public Collection<ServingJvm> jvms() {
    return Collections.unmodifiableCollection(jvms.values());
  }

  /** How many of its processes do what; each state is there. */
  public Map<ServingJvm.State, Integer> count() {
    Map<ServingJvm.State, Integer> counts = new EnumMap<>(ServingJvm.State.class);
    for (ServingJvm.State state : ServingJvm.State.values()) {
      counts.put(state, 0);
    }
    jvms.values().forEach(jvm -> counts.merge(jvm.state(), 1, Integer::sum));
    return counts;
  }

  /** How many clones wait in the pool. */
  public int pooled() {
    return pool.size();
  }

  /** No new invocation gets here any more: ends what waits, and all the rest with the last user. */
  CompletableFuture<Void> retire() {
    if (retired.compareAndSet(false, true)) {
      pool.close();
      for (ServingJvm jvm = warm.take(); jvm != null; jvm = warm.take()) {
        stop(jvm);
      }
      leave();
    }
    return disposed;
  }

  private void dispose() {
    List<Zygote> last = new ArrayList<>();
    Zygote lastZygote = zygote.getAndSet(null);
    if (lastZygote != null) {
      last.add(lastZygote);
    }
    Image lastImage = image.getAndSet(null);
    if (lastImage != null) {
      last.add(lastImage.blank());
    }
    List<ServingJvm> rest = new ArrayList<>(jvms.values());
    rest.forEach(this::stop);
    last.forEach(Zygote::close);
    List<CompletableFuture<?>> ends = new ArrayList<>();
    rest.forEach(jvm -> ends.add(jvm.jvm().exit()));
    last.forEach(held -> ends.add(held.lost()));
    var unused =
        CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new))
            .whenComplete((nothing, failure) -> disposed.complete(null));
  }
}
