package io.pilotlight.daemon.function;

import io.pilotlight.daemon.time.Background;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.Zygote;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deploys, replaces, removes and reloads functions. A function that is replaced is served by its
 * old version until the zygote of the new one is frozen. Thread-safe; operations on one function
 * exclude each other, those on different functions do not.
 */
public final class Deployer {
  private static final Logger log = LoggerFactory.getLogger(Deployer.class);

  /** How long a removal waits for the function's processes to be gone. */
  private static final Duration REMOVAL_WAIT = Duration.ofSeconds(5);

  private final FunctionRegistry registry;
  private final JarStore jars;
  private final DefinitionStore definitions;
  private final ZygoteBuilder builder;
  private final ZygoteKeeper keeper;
  private final ImageKeeper images;
  private final Deployment.Policy policy;
  private final NodeClock clock;
  private final Background background;
  private final Consumer<String> onRemoved;

  /**
   * As described.
   *
   * @param onRemoved is told the name of each function that was removed
   */
  public Deployer(
      FunctionRegistry registry,
      JarStore jars,
      DefinitionStore definitions,
      ZygoteBuilder builder,
      ImageKeeper images,
      Deployment.Policy policy,
      NodeClock clock,
      Background background,
      Consumer<String> onRemoved) {
    this.registry = registry;
    this.jars = jars;
    this.definitions = definitions;
    this.builder = builder;
    this.images = images;
    this.keeper = new ZygoteKeeper(builder, images, clock, background);
    this.policy = policy;
    this.clock = clock;
    this.background = background;
    this.onRemoved = onRemoved;
  }

  /**
   * What a deployment came to.
   *
   * @param function as it is served now
   * @param created whether there was none of that name before
   */
  public record Deployed(ServedFunction function, boolean created) {}

  /**
   * Deploys a version. Blocks until its zygote is frozen and the function is served by it.
   *
   * @throws InvalidFieldException if a jar is missing or no jar
   * @throws ConflictException if the function is being deployed or removed
   * @throws BuildException if the zygote cannot be built; an older version is served on
   * @throws IOException if the definition cannot be stored
   * @throws InterruptedException if this thread is interrupted
   */
  public Deployed deploy(String name, DeployRequest request)
      throws InvalidFieldException,
          ConflictException,
          BuildException,
          IOException,
          InterruptedException {
    ServedFunction function = registry.findOrAdd(name);
    claim(function);
    try {
      Deployment previous = function.current();
      FunctionDefinition definition = define(name, previous, request);
      boolean done = false;
      try {
        Zygote zygote = await(builder.build(function, definition));
        switchTo(function, definition, zygote);
        done = true;
      } catch (BuildException e) {
        function.lastError(
            "version " + definition.version() + " was not deployed: " + e.getMessage());
        throw e;
      } finally {
        if (!done) {
          release(definition);
        }
      }
      return new Deployed(function, previous == null);
    } finally {
      if (function.current() == null) {
        discard(function);
      }
      function.unclaim();
    }
  }

  private void claim(ServedFunction function) throws ConflictException {
    // One that was removed between its look-up and now is no longer in the registry.
    if (!function.claim()) {
      throw conflict(function.name());
    }
    if (function.removed()) {
      function.unclaim();
      throw conflict(function.name());
    }
  }

  private static ConflictException conflict(String name) {
    return new ConflictException(
        "function '" + name + "' is being deployed or removed; try again when that has ended");
  }

  private FunctionDefinition define(
      String name, @Nullable Deployment previous, DeployRequest request)
      throws InvalidFieldException, IOException {
    List<StoredJar> storedJars = jars.add("jars", request.jars());
    List<StoredJar> storedLayers = List.of();
    try {
      storedLayers = jars.add("layers", request.layers());
    } finally {
      if (storedLayers.size() != request.layers().size()) {
        jars.release(storedJars);
      }
    }
    int version = previous == null ? 1 : previous.definition().version() + 1;
    return new FunctionDefinition(
        name, version, clock.epochMillis(), storedJars, storedLayers, request.settings());
  }

  private static Zygote await(CompletableFuture<Zygote> build)
      throws BuildException, InterruptedException {
    try {
      return build.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof BuildException failure) {
        throw failure;
      }
      throw new IllegalStateException("the build of a zygote failed", e.getCause());
    } catch (InterruptedException e) {
      var unused = build.thenAccept(Zygote::close); // nobody waits for it any more
      throw e;
    }
  }

  private void switchTo(ServedFunction function, FunctionDefinition definition, Zygote zygote)
      throws IOException {
    try {
      definitions.save(definition);
    } catch (IOException e) {
      zygote.close();
      throw e;
    }
    Deployment next = new Deployment(definition, policy, clock, background);
    keeper.install(function, next, zygote);
    Deployment previous = function.serve(next);
    log.atInfo()
        .addKeyValue("function", function.name())
        .addKeyValue("version", definition.version())
        .addKeyValue("zygote", zygote.id())
        .addKeyValue("warnings", zygote.warnings().size())
        .log("function deployed");
    if (previous != null) {
      var unused = retire(previous);
    }
  }

  private CompletableFuture<Void> retire(Deployment deployment) {
    return deployment
        .retire()
        .thenRun(
            () -> {
              images.discard(deployment);
              release(deployment.definition());
            });
  }

  private void release(FunctionDefinition definition) {
    jars.release(definition.jars());
    jars.release(definition.layers());
  }

  private void discard(ServedFunction function) {
    function.markRemoved();
    registry.remove(function);
  }

  /**
   * Removes a function: invocations that run end well, no new one begins. Waits a little for its
   * processes to end.
   *
   * @return false if there is none of that name
   */
  public boolean remove(String name) throws ConflictException, IOException, InterruptedException {
    ServedFunction function = registry.find(name);
    if (function == null) {
      return false;
    }
    claim(function);
    try {
      definitions.delete(name);
      Deployment last = function.serve(null);
      discard(function);
      onRemoved.accept(name);
      log.atInfo().addKeyValue("function", name).log("function removed");
      if (last != null) {
        retire(last).get(REMOVAL_WAIT.toNanos(), TimeUnit.NANOSECONDS);
      }
    } catch (TimeoutException | ExecutionException e) {
      log.atInfo().addKeyValue("function", name).log("removed function has invocations running");
    } finally {
      function.unclaim();
    }
    return true;
  }

  /**
   * Reloads the functions of an earlier daemon, once, before anything else. Each is served at once;
   * one whose zygote was not adopted starts cold until its image is restored, or, if it has none
   * that can be, its zygote is rebuilt.
   *
   * @param adopted the zygotes that were taken over
   * @return completes when the first build of each has come to its end, good or bad
   */
  public CompletableFuture<Void> restore(List<Zygote> adopted) throws IOException {
    List<Zygote> unused = new ArrayList<>(adopted);
    List<CompletableFuture<Void>> builds = new ArrayList<>();
    List<Deployment> served = new ArrayList<>();
    for (FunctionDefinition definition : definitions.load()) {
      jars.hold(definition.jars());
      jars.hold(definition.layers());
      ServedFunction function = registry.findOrAdd(definition.name());
      Deployment deployment = new Deployment(definition, policy, clock, background);
      function.serve(deployment);
      Zygote match = take(unused, deployment);
      if (match != null) {
        keeper.install(function, deployment, match);
      } else {
        builds.add(
            images
                .restore(deployment, () -> keeper.imageGivenUp(function, deployment))
                .thenCompose(
                    restored ->
                        restored
                            ? CompletableFuture.completedFuture(null)
                            : keeper.rebuild(function, deployment, 1)));
      }
      served.add(deployment);
      log.atInfo()
          .addKeyValue("function", definition.name())
          .addKeyValue("version", definition.version())
          .addKeyValue("adopted", match == null ? "none" : match.id())
          .log("function loaded");
    }
    for (Zygote zygote : unused) {
      log.atInfo()
          .addKeyValue("zygote", zygote.id())
          .addKeyValue("function", zygote.spec().name())
          .addKeyValue("version", zygote.spec().version())
          .log("adopted zygote ended: no stored function has that version");
      zygote.close();
    }
    jars.removeUnheld();
    images.removeAllBut(served);
    return CompletableFuture.allOf(builds.toArray(CompletableFuture[]::new));
  }

  /** The zygote that hosts exactly this version; name and version alone could be a namesake's. */
  private static @Nullable Zygote take(List<Zygote> zygotes, Deployment deployment) {
    for (Zygote zygote : zygotes) {
      if (zygote.spec().equals(deployment.spec()) && zygote.state() == Zygote.State.FROZEN) {
        zygotes.remove(zygote);
        return zygote;
      }
    }
    return null;
  }

  /** The image of a function was removed; if nothing makes clones any more, a zygote is built. */
  public void imageRemoved(ServedFunction function) {
    Deployment current = function.current();
    if (current != null) {
      keeper.imageGivenUp(function, current);
    }
  }

  /** Stops the processes that have been idle for too long. Called once in a while. */
  public void expireIdle() {
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      if (current != null) {
        current.expireIdle();
      }
    }
  }

  /** Kills every process that serves an invocation: the daemon waits no longer. */
  public void killBusy() {
    for (ServedFunction function : registry.all()) {
      Deployment current = function.current();
      if (current != null) {
        current.killBusy();
      }
    }
  }

  /**
   * Ends the processes of all functions; their definitions stay.
   *
   * @param keepZygotes whether zygotes live on, for a later daemon
   * @return completes when the processes are gone
   */
  public CompletableFuture<Void> shutdown(boolean keepZygotes) {
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    for (ServedFunction function : registry.all()) {
      Deployment last = function.serve(null);
      if (last != null) {
        if (keepZygotes) {
          last.leaveZygote();
        }
        ends.add(last.retire());
      }
    }
    return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
  }
}
