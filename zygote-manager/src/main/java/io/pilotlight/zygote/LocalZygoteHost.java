package io.pilotlight.zygote;

import io.pilotlight.cgroup.Delegation;
import io.pilotlight.engine.ConfinedStart;
import io.pilotlight.engine.Confinement;
import io.pilotlight.engine.ForkEngine;
import io.pilotlight.engine.ForkEngine.Frozen;
import io.pilotlight.engine.ForkServerClient;
import io.pilotlight.engine.ForkServerOptions;
import io.pilotlight.engine.Isolation;
import io.pilotlight.linux.CachedFile;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.Platform;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import io.pilotlight.recorder.ImageSet;
import io.pilotlight.zygote.BuildException.Fault;
import io.pilotlight.zygote.BuildProgress.Stage;
import io.pilotlight.zygote.FrozenZygote.Origin;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes zygotes and cold JVMs on this machine. */
public final class LocalZygoteHost implements ZygoteHost {
  private static final Logger LOG = LoggerFactory.getLogger(LocalZygoteHost.class);
  private static final Duration END_TIME = Duration.ofSeconds(10);
  private static final Path WORKING_DIRECTORY = Path.of("/");

  private final Path runDirectory;
  private final Path agentJar;
  private final String owner;
  private final EngineListener listener;
  private final FreezePolicy policy;
  private final ConfinementPolicy confinements;
  private final IsolationSupport isolation;
  private final EventLoop loop;
  private final ForkEngine engine;
  private final Services services;
  private final Strays strays;
  private final ZygoteImages images;
  private final ResourceLimits limits;
  private final Registry clones = new Registry();
  private final Admission admission = new Admission();
  private final Set<FunctionJvm> jvms = ConcurrentHashMap.newKeySet();
  private final Set<FrozenZygote> zygotes = ConcurrentHashMap.newKeySet();

  private final ExecutorService spawnerThread;
  private final JvmSpawner spawner;
  private final ScheduledExecutorService timer;

  /** Reads images ahead. */
  private final ExecutorService readerThread;

  /**
   * Opens a host.
   *
   * @param runDirectory for sockets and records of zygotes; exists, and nobody else may enter it
   * @param agentJar the agent
   * @param listener is told the engine's times
   * @throws IOException if the kernel refuses what it needs, with the call's name
   */
  public LocalZygoteHost(Path runDirectory, Path agentJar, EngineListener listener)
      throws IOException {
    this(runDirectory, agentJar, listener, FreezePolicy.THOROUGH);
  }

  /** The same, with another condition in which JVMs are frozen. */
  public LocalZygoteHost(
      Path runDirectory, Path agentJar, EngineListener listener, FreezePolicy policy)
      throws IOException {
    this(
        runDirectory,
        agentJar,
        listener,
        policy,
        ConfinementPolicy.hiding(List.of(runDirectory.toRealPath())),
        true);
  }

  /**
   * The same.
   *
   * @param policy in which condition JVMs are frozen
   * @param confinements as whom functions run that are isolated, and what they must not see
   * @param controlGroups whether limits are enforced by control groups, where there are any for
   *     this process; else only by rlimits and flags
   */
  public LocalZygoteHost(
      Path runDirectory,
      Path agentJar,
      EngineListener listener,
      FreezePolicy policy,
      ConfinementPolicy confinements,
      boolean controlGroups)
      throws IOException {
    this.policy = policy;
    this.confinements = confinements;
    this.isolation = new IsolationSupport(confinements);
    this.runDirectory = runDirectory.toRealPath();
    this.agentJar = agentJar.toRealPath();
    this.listener = listener;
    this.owner = Owner.of(this.runDirectory);
    Processes.becomeSubreaper();
    this.limits = ResourceLimits.open(delegation(controlGroups), owner);
    LOG.info("limits are enforced {}", limits.description());
    this.loop = new EventLoop("pilotlight-events");
    LongSupplier nanoTime = System::nanoTime;
    this.engine = new ForkEngine(loop, nanoTime);
    this.spawnerThread = Executors.newSingleThreadExecutor(daemonThread("pilotlight-spawner"));
    this.spawner = new JvmSpawner(spawnerThread, loop, limits);
    this.timer = Executors.newSingleThreadScheduledExecutor(daemonThread("pilotlight-timer"));
    this.readerThread = Executors.newSingleThreadExecutor(daemonThread("pilotlight-reader"));
    this.services = new Services(nanoTime);
    this.strays = new Strays(services);
    this.images = new ZygoteImages(nanoTime, services.epochMillis());
  }

  private static Delegation delegation(boolean controlGroups) {
    return controlGroups
        ? Delegation.here()
        : new Delegation.Absent("they are switched off", "set 'controlGroups' to true");
  }

  private static ThreadFactory daemonThread(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  @Override
  public Zygote build(
      FunctionSpec spec, Warmup warmup, Duration initTimeout, BuildProgress progress)
      throws BuildException, InterruptedException {
    begin();
    try {
      return buildNow(spec, warmup, initTimeout, progress);
    } finally {
      admission.end();
    }
  }

  private void begin() throws BuildException {
    try {
      admission.begin();
    } catch (Admission.ClosedException e) {
      throw new BuildException(Fault.SYSTEM, String.valueOf(e.getMessage()), "", null, e);
    }
  }

  private void beginImage() throws ImageException {
    try {
      admission.begin();
    } catch (Admission.ClosedException e) {
      throw new ImageException(Reason.SYSTEM, String.valueOf(e.getMessage()), e);
    }
  }

  private Zygote buildNow(
      FunctionSpec spec, Warmup warmup, Duration initTimeout, BuildProgress progress)
      throws BuildException, InterruptedException {
    JvmCommand.check(spec);
    checkPlatform();
    checkIsolation(spec);
    String id = newId();
    progress.at(Stage.STARTING, 0, 0);
    StartedJvm started = start(id, spec, true);
    HostedJvm jvm = started.jvm();
    FrozenZygote zygote = null;
    try {
      ZygoteBuilder builder = new ZygoteBuilder(jvm, spec, services.nanoTime(), progress);
      builder.warn(limits.notEnforced(spec.limits()));
      builder.initialise(initTimeout, true);
      builder.warm(warmup);
      if (policy.quiesce()) {
        builder.quiesce();
        builder.settle(warmup);
        builder.checkpoint(initTimeout);
      }
      zygote = freeze(id, spec, started, builder);
      zygote.rehearse(warmup);
      return zygote;
    } finally {
      if (zygote == null) {
        endAndAwait(jvm);
        forgetFiles(id);
      }
    }
  }

  private static String newId() {
    return "z-" + Long.toHexString(ThreadLocalRandom.current().nextLong() | Long.MIN_VALUE);
  }

  private static void checkPlatform() throws BuildException {
    List<String> obstacles = Platform.current().obstacles();
    if (!obstacles.isEmpty()) {
      throw new BuildException(
          Fault.SYSTEM,
          "JVMs cannot be forked on this machine. " + String.join(" ", obstacles),
          "",
          null,
          null);
    }
  }

  @Override
  public Optional<String> obstacle(Isolation level) {
    return isolation.obstacle(level);
  }

  private void checkIsolation(FunctionSpec spec) throws BuildException {
    Optional<String> obstacle = obstacle(spec.isolation());
    if (obstacle.isPresent()) {
      throw new BuildException(
          Fault.CONFIGURATION,
          "Isolation '"
              + spec.isolation().word()
              + "' is not available here: "
              + obstacle.get()
              + ". Or deploy with --isolation none.",
          "",
          null,
          null);
    }
  }

  private FrozenZygote freeze(
      String id, FunctionSpec spec, StartedJvm started, ZygoteBuilder builder)
      throws BuildException, InterruptedException {
    int pid = (int) started.jvm().pid();
    PidNamespace namespace = started.namespace();
    ForkServerOptions options =
        new ForkServerOptions(
            JvmCommand.CHANNEL_DESCRIPTOR,
            JvmCommand.LISTEN_DESCRIPTOR,
            policy.quiesce() && JvmCommand.usesSerial(spec),
            policy.collapse(),
            spec.descriptors().policy().then(policy.descriptors()),
            started.confinement(),
            ForkServerOptions.Streams.OUTPUT);
    Frozen frozen = builder.freeze(engine, pid, options, policy.atRest());
    listener.phase("fork", "freeze", frozen.freezeNanos());
    listener.phase("fork", "collapse", frozen.collapseNanos());
    listener.phase("fork", "install", frozen.installNanos());
    try {
      ZygoteRecord record =
          new ZygoteRecord(
              id,
              pid,
              ProcFs.startTicks(pid),
              namespace == null ? 0 : namespace.keeperPid(),
              spec,
              frozen.blueprint(),
              frozen.residence(),
              builder.warnings());
      limits.frozen(started.jvm().limits());
      FrozenZygote zygote = open(record, Origin.memory(false), started.jvm().watch(), namespace);
      zygote.prepare();
      record.write(runDirectory);
      return zygote;
    } catch (IOException e) {
      throw new BuildException(
          Fault.SYSTEM, "Zygote " + id + " cannot be used: " + e.getMessage(), "", null, e);
    }
  }

  private FrozenZygote open(
      ZygoteRecord record, Origin origin, ProcessWatch process, @Nullable PidNamespace namespace)
      throws IOException {
    ForkServerClient client =
        engine.connect(
            runDirectory, socketName(record.id()), record.blueprint(), record.residence());
    FunctionSpec spec = record.spec();
    CloneLimits own =
        limits.ofClones(
            record.id(), spec.limits(), confinements.userId(spec) == Processes.userId());
    FrozenZygote zygote =
        new FrozenZygote(
            record, origin, process, namespace, client, clones, own, services, listener);
    zygotes.add(zygote);
    process
        .exit()
        .thenRun(
            () -> {
              zygotes.remove(zygote);
              forgetFiles(record.id());
              strays.reapLater();
            });
    return zygote;
  }

  @Override
  public ImageSummary writeImage(Zygote zygote, Path directory) throws ImageException {
    long start = services.nanoTime().getAsLong();
    beginImage();
    try {
      ImageSummary image = images.write(((FrozenZygote) zygote).record(), directory);
      listener.phase("image", "dump", services.nanoTime().getAsLong() - start);
      return image;
    } finally {
      admission.end();
    }
  }

  @Override
  public void rehearse(Path directory, Warmup warmup) throws InterruptedException {
    if (FrozenZygote.rehearsals(warmup) == 0) {
      return;
    }
    ImageDirectory image = new ImageDirectory(directory);
    long start = services.nanoTime().getAsLong();
    try (CachedFile pages = CachedFile.open(image.pages())) {
      ImageDirectory.Content content = images.openTrusting(directory).readSingly();
      try (FrozenZygote blank = restore(directory, content, ImageSet.NONE)) {
        Optional<ImageSet> set = new ImageRehearsal(blank, pages).run(warmup);
        if (set.isPresent()) {
          image.workingSet(set.get());
        }
      }
      listener.phase("image", "rehearse", services.nanoTime().getAsLong() - start);
    } catch (ImageException | IOException e) {
      LOG.warn("what first calls read of image {} is not known: {}", directory, e.toString());
    }
  }

  @Override
  public Zygote restore(Path directory, boolean replay)
      throws ImageException, InterruptedException {
    long start = services.nanoTime().getAsLong();
    ImageDirectory.Content content = images.open(directory);
    long verified = services.nanoTime().getAsLong();
    listener.phase("image", "verify", verified - start);
    ImageSet known = replay ? new ImageDirectory(directory).workingSet() : ImageSet.NONE;
    Zygote zygote = restore(directory, content, known);
    listener.phase("image", "revive", services.nanoTime().getAsLong() - verified);
    return zygote;
  }

  /**
   * Restores an image that was looked at.
   *
   * @param known what its clones touch, and what is read ahead for them
   */
  private FrozenZygote restore(Path directory, ImageDirectory.Content image, ImageSet known)
      throws ImageException, InterruptedException {
    String id = newId();
    FrozenZygote zygote = null;
    beginImage();
    try {
      Path pages = new ImageDirectory(directory).pages();
      zygote = restore(id, image, pages, known);
      return zygote;
    } catch (IOException e) {
      throw new ImageException(
          ImageRestorer.reason(e),
          "Image " + directory + " cannot be restored: " + e.getMessage(),
          e);
    } finally {
      if (zygote == null) {
        forgetFiles(id);
      }
      admission.end();
    }
  }

  private Origin ofImage(Path pages, ImageSet known) throws IOException {
    ImageReader reader =
        known.pages().pages() == 0
            ? null
            : new ImageReader(CachedFile.open(pages), known, readerThread, services);
    return new Origin(Zygote.Kind.IMAGE, false, known, reader);
  }

  private FrozenZygote restore(String id, ImageDirectory.Content image, Path pages, ImageSet known)
      throws IOException, ImageException, InterruptedException {
    ImageManifest manifest = image.manifest();
    if (!(manifest.subject() instanceof FunctionSpec spec)) {
      throw new ImageException(
          Reason.UNSUPPORTED,
          "It is the image of a program, and no function's: restore it with 'pilotlight restore'.");
    }
    try (Fd socket = Sockets.listen(runDirectory, socketName(id))) {
      ConfinedStart.Program program =
          new ConfinedStart.Program(
              List.of(JvmCommand.java(spec.javaHome()).toString()),
              Map.of(),
              WORKING_DIRECTORY,
              JvmCommand.ownerMarker(owner));
      ConfinedStart.Started started =
          new ImageRestorer(spawnerThread, loop, new ClockReader(services.nanoTime()))
              .restore(
                  program,
                  confinements.of(spec, agentJar),
                  blank -> limits.restrictBlank(blank, spec.limits()),
                  socket,
                  new ImageRestorer.Image(image.state(), pages));
      int pid = started.pid();
      ProcessWatch process =
          ProcessWatch.of(pid, loop)
              .orElseThrow(() -> new IOException("process " + pid + " ended at once"));
      PidNamespace namespace = namespace(started.keeperPid(), process);
      ZygoteRecord record =
          new ZygoteRecord(
              id,
              pid,
              ProcFs.startTicks(pid),
              started.keeperPid(),
              spec,
              manifest.blueprint(),
              image.state().residence(),
              manifest.warnings());
      boolean opened = false;
      try {
        limits.take(id, spec.limits(), process, pid);
        FrozenZygote zygote = open(record, ofImage(pages, known), process, namespace);
        zygote.prepare();
        opened = true;
        return zygote;
      } finally {
        if (!opened) {
          process.kill();
        }
      }
    }
  }

  @Override
  public FunctionJvm startCold(FunctionSpec spec, Duration initTimeout)
      throws BuildException, InterruptedException {
    JvmCommand.check(spec);
    checkIsolation(spec);
    begin();
    try {
      return startColdNow(spec, initTimeout);
    } finally {
      admission.end();
    }
  }

  private FunctionJvm startColdNow(FunctionSpec spec, Duration initTimeout)
      throws BuildException, InterruptedException {
    HostedJvm jvm = start(clones.nextId(), spec, false).jvm();
    boolean ready = false;
    try {
      new ZygoteBuilder(jvm, spec, services.nanoTime(), BuildProgress.NONE)
          .initialise(initTimeout, false);
      ready = true;
      return jvm;
    } finally {
      if (!ready) {
        endAndAwait(jvm);
      }
    }
  }

  /** A JVM, and what it runs in; null each if it is not confined. */
  private record StartedJvm(
      HostedJvm jvm, @Nullable Confinement confinement, @Nullable PidNamespace namespace) {}

  private StartedJvm start(String id, FunctionSpec spec, boolean listening) throws BuildException {
    try (Sockets.Pair channel = Sockets.streamPair();
        Sockets.Pair output = Sockets.pipe();
        Fd nothing = OpenFile.readOnly(Path.of("/dev/null"))) {
      List<Fd> descriptors = new ArrayList<>();
      descriptors.add(nothing);
      descriptors.add(output.second());
      descriptors.add(output.second());
      descriptors.add(channel.second());
      Fd listener = listening ? Sockets.listen(runDirectory, socketName(id)) : null;
      try {
        if (listener != null) {
          descriptors.add(listener);
        }
        Confinement confinement = confinements.of(spec, agentJar);
        JvmOutput kept = new JvmOutput(output.first().move(), services);
        HostedJvm jvm =
            new HostedJvm(
                id,
                new JvmChannel(channel.first().move(), services.nanoTime()),
                kept,
                null,
                limits.ofJvm(id, spec.limits(), listening),
                step -> "step " + step,
                services,
                null);
        jvms.add(jvm);
        ConfinedStart.Program program =
            new ConfinedStart.Program(
                JvmCommand.of(spec, agentJar, owner, listening),
                JvmCommand.environment(spec),
                WORKING_DIRECTORY,
                JvmCommand.ownerMarker(owner));
        PidNamespace namespace = spawner.spawn(jvm, program, confinement, descriptors);
        return new StartedJvm(jvm, confinement, namespace);
      } finally {
        closeIfOpen(listener);
      }
    } catch (IOException e) {
      forgetFiles(id);
      throw new BuildException(
          Fault.SYSTEM, "A JVM for " + spec.name() + " cannot be started: " + e, "", null, e);
    }
  }

  private static void closeIfOpen(@Nullable Fd fd) {
    if (fd != null) {
      fd.close();
    }
  }

  private static void endAndAwait(HostedJvm jvm) {
    jvm.close();
    jvm.exit().join();
  }

  private static String socketName(String id) {
    return id + ".sock";
  }

  private void forgetFiles(String id) {
    try {
      Files.deleteIfExists(runDirectory.resolve(socketName(id)));
      Files.deleteIfExists(ZygoteRecord.file(runDirectory, id));
    } catch (IOException e) {
      LOG.warn("files of zygote {} cannot be removed from {}", id, runDirectory, e);
    }
  }

  @Override
  public Adoption adopt() {
    Adoption adoption =
        new Adopter(runDirectory, owner, loop).run(this::openAdopted, this::forgetFiles);
    List<String> ended = new ArrayList<>(adoption.ended());
    ended.addAll(
        limits.removeAllBut(
            adoption.zygotes().stream().map(Zygote::id).collect(Collectors.toSet())));
    zygotes.forEach(FrozenZygote::prepare);
    return new Adoption(adoption.zygotes(), ended);
  }

  private @Nullable PidNamespace namespace(int keeperPid, ProcessWatch member) throws IOException {
    return keeperPid == 0 ? null : spawner.enter(keeperPid, member.exit());
  }

  private Zygote openAdopted(ZygoteRecord record, ProcessWatch process) throws IOException {
    PidNamespace namespace = namespace(record.keeperPid(), process);
    limits.take(record.id(), record.spec().limits(), process, record.pid());
    return open(record, Origin.memory(true), process, namespace);
  }

  @Override
  public void close() {
    admission.close();
    endAll();
    awaitWork();
    endAll();
    List<CompletableFuture<ExitStatus>> ends = new ArrayList<>();
    zygotes.forEach(zygote -> ends.add(zygote.lost()));
    jvms.forEach(jvm -> ends.add(jvm.exit()));
    ends.addAll(spawner.ends());
    // All of them were killed. One that still does not end is the kernel's: the first process of a
    // PID namespace waits for each other one in it to be reaped, and whose child that is may be
    // unknown here. With this process its children go to another, which reaps them.
    if (!Ends.within(END_TIME, ends)) {
      LOG.warn(
          "processes that were killed have not ended after {} s; they are left",
          END_TIME.toSeconds());
    }
    limits.close();
    timer.shutdownNow();
    readerThread.shutdownNow();
    spawnerThread.shutdown();
    loop.close();
    try {
      Processes.resignAsSubreaper();
    } catch (KernelException e) {
      LOG.warn("orphans are still given to this process", e);
    }
  }

  private void endAll() {
    zygotes.forEach(FrozenZygote::close);
    jvms.forEach(FunctionJvm::close);
  }

  /** What is still being made fails when its process is killed, or is soon made. */
  private void awaitWork() {
    try {
      if (!admission.awaitEnd(END_TIME)) {
        LOG.warn("zygotes or images are still being made after {} s", END_TIME.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Names clones and keeps account of them. */
  private final class Registry implements FrozenZygote.CloneRegistry {
    private final String prefix =
        "c-" + Integer.toHexString(ThreadLocalRandom.current().nextInt() | Integer.MIN_VALUE) + "-";
    private final AtomicLong next = new AtomicLong();

    @Override
    public String nextId() {
      return prefix + next.incrementAndGet();
    }

    @Override
    public void add(HostedJvm clone) {
      jvms.add(clone);
      if (clone.exit().isDone()) {
        jvms.remove(clone);
      }
    }
  }

  private final class Services implements HostServices {
    private final LongSupplier nanoTime;
    private final ThreadLocal<ByteBuffer> buffers =
        ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(JvmChannel.BUFFER_BYTES));

    Services(LongSupplier nanoTime) {
      this.nanoTime = nanoTime;
    }

    @Override
    public EventLoop loop() {
      return loop;
    }

    @Override
    public LongSupplier nanoTime() {
      return nanoTime;
    }

    @Override
    public LongSupplier epochMillis() {
      return System::currentTimeMillis;
    }

    @Override
    public ByteBuffer buffer() {
      return buffers.get();
    }

    @Override
    public void later(Duration delay, Runnable task) {
      timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void forget(FunctionJvm jvm) {
      jvms.remove(jvm);
    }
  }
}
