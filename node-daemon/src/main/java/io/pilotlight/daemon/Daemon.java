package io.pilotlight.daemon;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.cgroup.MachineMemory;
import io.pilotlight.daemon.function.AllowedRoots;
import io.pilotlight.daemon.function.DefinitionStore;
import io.pilotlight.daemon.function.Deployer;
import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.ImageKeeper;
import io.pilotlight.daemon.function.ImageReviewer;
import io.pilotlight.daemon.function.JarStore;
import io.pilotlight.daemon.function.JsonFields;
import io.pilotlight.daemon.function.SettingsJson;
import io.pilotlight.daemon.function.ZygoteBuilder;
import io.pilotlight.daemon.function.ZygoteReviewer;
import io.pilotlight.daemon.http.AccessToken;
import io.pilotlight.daemon.http.ApiServer;
import io.pilotlight.daemon.http.EventQueue;
import io.pilotlight.daemon.http.InFlight;
import io.pilotlight.daemon.http.ServerCertificate;
import io.pilotlight.daemon.metrics.FleetCollector;
import io.pilotlight.daemon.metrics.NodeMetrics;
import io.pilotlight.daemon.route.Router;
import io.pilotlight.daemon.time.BackgroundThreads;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.ConfinementPolicy;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FreezePolicy;
import io.pilotlight.zygote.ImageStore;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.ZygoteHost;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A daemon that runs in this JVM. Thread-safe. */
public final class Daemon implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Daemon.class);
  private static final Duration IDLE_CHECK = Duration.ofSeconds(1);

  /** How long what was killed may take to be reported to its callers. */
  private static final Duration KILL_WAIT = Duration.ofSeconds(3);

  /** How long function processes may take for their shutdown hooks. */
  private static final Duration STOP_WAIT = Duration.ofSeconds(5);

  private final DaemonConfig config;
  private final NodeClock clock;
  private final Closers closers = new Closers();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicBoolean closing = new AtomicBoolean();
  private final InFlight inFlight;
  private final ZygoteBuilder builder;
  private final Deployer deployer;
  private final EventQueue events;
  private final InetSocketAddress address;

  /** Makes the host that a daemon uses. */
  @FunctionalInterface
  public interface HostFactory {
    /**
     * Opens it.
     *
     * @param runDirectory where it keeps what survives the daemon
     * @param listener is told the engine's times
     */
    ZygoteHost open(Path runDirectory, EngineListener listener) throws IOException;
  }

  /**
   * Starts a daemon: takes over the zygotes of an earlier one, loads the functions, listens.
   *
   * @throws DaemonException naming what failed; nothing is left then
   */
  public static Daemon start(DaemonConfig config) throws DaemonException {
    if (!Files.isReadable(config.agentJar())) {
      throw new DaemonException(
          "the agent's jar "
              + config.agentJar()
              + " cannot be read; build with ./pilotlight, or name it with -Dpilotlight.agent=FILE"
              + " or as 'agent' in the configuration file");
    }
    return start(
        config,
        (runDirectory, listener) -> {
          // Of an isolated function the whole data directory is hidden: it has others' secrets.
          Path data = config.dataDirectory().toRealPath();
          return new LocalZygoteHost(
              runDirectory,
              config.agentJar(),
              listener,
              FreezePolicy.THOROUGH.with(config.descriptorPolicy()),
              ConfinementPolicy.hiding(List.of(data)),
              config.limits().controlGroups());
        },
        NodeClock.SYSTEM);
  }

  /** The same with another host and another clock. */
  public static Daemon start(DaemonConfig config, HostFactory hosts, NodeClock clock)
      throws DaemonException {
    InetSocketAddress listen = config.listen();
    DaemonConfig.Door door = config.door();
    boolean closed = door.tokenFile() != null && door.tlsCertificate() != null;
    if (!listen.getAddress().isLoopbackAddress() && !closed && !door.insecure()) {
      throw new DaemonException(
          "listening on "
              + listen.getAddress().getHostAddress()
              + " would let everybody who reaches it run code here. Give --token-file and"
              + " --tls-cert with --tls-key, or listen on 127.0.0.1, or say --insecure if the"
              + " network is trusted");
    }
    return new Daemon(config, access(door), hosts, clock);
  }

  private static ApiServer.Access access(DaemonConfig.Door door) throws DaemonException {
    if ((door.tlsCertificate() == null) != (door.tlsKey() == null)) {
      throw new DaemonException(
          "--tls-cert and --tls-key (tlsCertificate and tlsKey) belong together; one is missing");
    }
    try {
      return new ApiServer.Access(
          door.tokenFile() == null ? null : AccessToken.read(door.tokenFile()),
          door.tlsCertificate() == null || door.tlsKey() == null
              ? null
              : ServerCertificate.read(door.tlsCertificate(), door.tlsKey()));
    } catch (NoSuchFileException e) {
      throw new DaemonException(e.getFile() + " does not exist", e);
    } catch (IOException e) {
      throw new DaemonException(String.valueOf(e.getMessage()), e);
    }
  }

  private static AllowedRoots roots(DaemonConfig config) {
    List<Path> roots = config.door().roots();
    if (roots != null) {
      return AllowedRoots.of(roots);
    }
    return config.listen().getAddress().isLoopbackAddress()
        ? AllowedRoots.everywhere()
        : AllowedRoots.of(List.of());
  }

  private Daemon(DaemonConfig config, ApiServer.Access access, HostFactory hosts, NodeClock clock)
      throws DaemonException {
    this.config = config;
    this.clock = clock;
    DaemonConfig.Limits limits = config.limits();
    ApiServer.Limits door =
        new ApiServer.Limits(
            limits.maxRequestBytes(),
            limits.maxAnswerBytes(),
            limits.maxThreads(),
            limits.connectionIdle());
    inFlight = new InFlight(door.maxInFlight());
    boolean complete = false;
    try {
      DataDirectory data =
          closers.add("data directory", DataDirectory.open(config.dataDirectory()));
      String version = versionOf(Daemon.class.getPackage());
      NodeMetrics metrics = new NodeMetrics(version);
      ZygoteHost host = openHost(hosts, data, metrics);
      BackgroundThreads background = closers.add("background work", new BackgroundThreads());
      ObjectMapper json = JsonFields.strictMapper();
      SettingsJson settings =
          new SettingsJson(config.defaultJvm(), roots(config), () -> usualIsolation(host));
      FunctionRegistry registry = new FunctionRegistry();
      JarStore jars = new JarStore(data.jars());
      builder = closers.add("builds", new ZygoteBuilder(host, json, limits.maxBuilds()));
      ImageStore imageStore = new ImageStore(data.images());
      imageStore.open();
      deployer =
          new Deployer(
              registry,
              jars,
              new DefinitionStore(data.functions(), jars, settings, json),
              builder,
              new ImageKeeper(host, imageStore, json, clock, background),
              new Deployment.Policy(limits.maxWarmPerFunction(), limits.maxColdStartsPerFunction()),
              clock,
              background,
              metrics::removeFunction);
      metrics.register(new FleetCollector(registry, clock));
      Router router = new Router(host, metrics, clock);
      events =
          new EventQueue(router, clock, background, limits.maxEvents(), limits.maxEventBytes());
      CompletableFuture<Void> loaded = load(host);
      background.every(IDLE_CHECK, deployer::expireIdle);
      ZygoteReviewer reviewer =
          new ZygoteReviewer(
              registry,
              MachineMemory.here()::read,
              (long) limits.zygoteMemoryMib() << 20,
              clock,
              metrics::zygoteEnded);
      ImageReviewer imageReviewer =
          new ImageReviewer(
              registry,
              imageStore,
              (long) limits.imageBudgetMib() << 20,
              clock,
              metrics::imageEvicted,
              deployer::imageRemoved);
      background.every(
          IDLE_CHECK,
          () -> {
            reviewer.review();
            imageReviewer.review();
          });
      ApiServer server =
          closers.add(
              "HTTP server",
              new ApiServer(
                  config.listen(),
                  access,
                  door,
                  new ApiServer.Backend(
                      json,
                      registry,
                      deployer,
                      settings,
                      router,
                      events,
                      metrics,
                      inFlight,
                      loaded::isDone)));
      address = listen(server);
      log.atInfo()
          .addKeyValue("address", address.getHostString() + ":" + address.getPort())
          .addKeyValue("data", config.dataDirectory())
          .addKeyValue("version", version)
          .log("daemon started");
      logIsolation(host);
      complete = true;
    } catch (IOException e) {
      throw new DaemonException("the daemon could not start: " + e, e);
    } finally {
      if (!complete) {
        closers.close();
      }
    }
  }

  /** Of functions for which no level is asked for. */
  private static Isolation usualIsolation(ZygoteHost host) {
    return host.obstacle(Isolation.PROCESS).isEmpty() ? Isolation.PROCESS : Isolation.NONE;
  }

  /** The highest level that works, and what keeps the next from working. */
  private static void logIsolation(ZygoteHost host) {
    Isolation available = Isolation.NONE;
    for (Isolation level : Isolation.values()) {
      Optional<String> obstacle = host.obstacle(level);
      if (obstacle.isPresent()) {
        log.atWarn()
            .addKeyValue("available", available.word())
            .addKeyValue("usual", usualIsolation(host).word())
            .addKeyValue("next", level.word())
            .addKeyValue("obstacle", obstacle.get())
            .log("functions cannot be isolated further");
        return;
      }
      available = level;
    }
    log.atInfo()
        .addKeyValue("available", available.word())
        .addKeyValue("usual", usualIsolation(host).word())
        .log("functions can be isolated");
  }

  private ZygoteHost openHost(HostFactory hosts, DataDirectory data, EngineListener listener)
      throws IOException {
    ZygoteHost host = hosts.open(data.run(), listener);
    // Without a call of close() its zygotes live on, and the next daemon adopts them.
    closers.add("zygotes", config.keepZygotes() ? () -> {} : host);
    return host;
  }

  private InetSocketAddress listen(ApiServer server) throws DaemonException {
    try {
      return server.start();
    } catch (IOException e) {
      throw new DaemonException(
          "cannot listen on "
              + config.listen()
              + ": "
              + e.getMessage()
              + "; another daemon may be there: name another port with --listen",
          e);
    }
  }

  private CompletableFuture<Void> load(ZygoteHost host) throws IOException {
    ZygoteHost.Adoption adoption = host.adopt();
    for (String sentence : adoption.ended()) {
      log.atInfo().addKeyValue("cause", sentence).log("process of an earlier daemon ended");
    }
    return deployer.restore(adoption.zygotes());
  }

  private static String versionOf(Package code) {
    String version = code.getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return address;
  }

  /** {@code https} if it has a certificate, else {@code http}. */
  public String scheme() {
    return config.door().tlsCertificate() == null ? "http" : "https";
  }

  /** Ends the daemon gracefully when this JVM is told to end. */
  public void closeOnShutdown() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::close, "pilotlight-shutdown"));
  }

  /** Waits until {@link #close} has done its work. */
  public void awaitStopped() throws InterruptedException {
    stopped.await();
  }

  /**
   * Ends gracefully: refuses new requests, lets running ones finish for as long as the
   * configuration allows, ends every process, stops listening. Returns when nothing is left;
   * idempotent.
   */
  @Override
  public void close() {
    if (!closing.compareAndSet(false, true)) {
      awaitUninterruptibly();
      return;
    }
    boolean interrupted = false;
    try {
      drain();
      deployer.shutdown(config.keepZygotes()).get(STOP_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    } catch (ExecutionException | TimeoutException e) {
      log.atWarn().addKeyValue("cause", e).log("function processes did not end by themselves");
    } finally {
      closers.close();
      log.atInfo().log("daemon stopped");
      stopped.countDown();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void drain() throws InterruptedException {
    log.atInfo()
        .addKeyValue("running", inFlight.count())
        .addKeyValue("events", events.accepted().count())
        .addKeyValue("seconds", config.drainTimeout().toSeconds())
        .log("daemon stopping; running invocations may finish");
    long deadline = clock.nanoTime() + config.drainTimeout().toNanos();
    inFlight.drain();
    events.accepted().drain();
    builder.close();
    boolean idle = inFlight.awaitIdle(config.drainTimeout());
    long left = Math.max(0, deadline - clock.nanoTime());
    idle &= events.accepted().awaitIdle(Duration.ofNanos(left));
    if (!idle) {
      log.atWarn()
          .addKeyValue("running", inFlight.count())
          .addKeyValue("events", events.accepted().count())
          .log("invocations given up: the time to finish has passed");
      deployer.killBusy();
      inFlight.awaitIdle(KILL_WAIT);
    }
  }

  private void awaitUninterruptibly() {
    boolean interrupted = false;
    while (true) {
      try {
        stopped.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
