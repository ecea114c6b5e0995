package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.engine.ForkServerClient;
import io.pilotlight.engine.RegionNames;
import io.pilotlight.engine.TimeNamespace;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Sockets;
import io.pilotlight.recorder.ImageSet;
import io.pilotlight.recorder.WorkingSetReport;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A zygote with its fork server. */
final class FrozenZygote implements Zygote {
  private static final Logger LOG = LoggerFactory.getLogger(FrozenZygote.class);
  private static final Duration FORK_AHEAD_TIMEOUT = Duration.ofSeconds(5);
  private static final byte GO = 1;

  /** After so long a waiting clone has replayed what there was to replay. */
  private static final Duration REPLAY_TIME = Duration.ofMillis(50);

  /** A pool must not be emptied by a request that is too large for a socket's default buffer. */
  private static final int SEND_BUFFER_BYTES = 256 << 10;

  private final ZygoteRecord record;
  private final Kind kind;
  private final boolean adopted;
  private final ProcessWatch process;
  private final @Nullable PidNamespace namespace;
  private final ForkServerClient client;
  private final HostServices services;
  private final EngineListener listener;
  private final CloneRecorder recorder;
  private final @Nullable ImageReader reader;
  private final Supplier<String> cloneIds;
  private final Consumer<HostedJvm> made;
  private final CloneLimits limits;
  private final long clockAheadNanos;

  /** What its clones have shown; a later daemon does not know it. */
  private volatile List<String> rehearsalWarnings = List.of();

  /**
   * Where its memory came from.
   *
   * @param kind where it is
   * @param adopted whether an earlier daemon built it
   * @param known what first calls in its clones touch, as far as that is known
   * @param reader reads its image ahead, or null
   */
  record Origin(Kind kind, boolean adopted, ImageSet known, @Nullable ImageReader reader) {
    /** A process that has its own memory. */
    static Origin memory(boolean adopted) {
      return new Origin(Kind.MEMORY, adopted, ImageSet.NONE, null);
    }
  }

  FrozenZygote(
      ZygoteRecord record,
      Origin source,
      ProcessWatch process,
      @Nullable PidNamespace namespace,
      ForkServerClient client,
      CloneRegistry clones,
      CloneLimits limits,
      HostServices services,
      EngineListener listener)
      throws IOException {
    this.recorder = new CloneRecorder(record.pid(), client, limits.placement(), source.known());
    this.reader = source.reader();
    this.limits = limits;
    this.clockAheadNanos = TimeNamespace.ahead(record.pid()).monotonicNanos();
    this.record = record;
    this.kind = source.kind();
    this.adopted = source.adopted();
    this.process = process;
    this.namespace = namespace;
    this.client = client;
    this.services = services;
    this.listener = listener;
    this.cloneIds = clones::nextId;
    this.made = clones::add;
    process.exit().thenRun(client::close);
    // One that lives but cannot be asked any more would be kept for ever; another is built instead.
    client.lost().thenRun(process::kill);
    process.exit().thenRun(limits::close);
    if (reader != null) {
      process.exit().thenRun(reader::close);
    }
  }

  /** Makes what clones need, ahead of them. */
  void prepare() {
    limits.prepare();
  }

  /** Where a host keeps account of its clones. */
  interface CloneRegistry {
    /** A name that no other process of this host has or had. */
    String nextId();

    /** A clone was made. */
    void add(HostedJvm clone);
  }

  @Override
  public Kind kind() {
    return kind;
  }

  /** What a later daemon, or an image, must know of it. */
  ZygoteRecord record() {
    return record;
  }

  @Override
  public String id() {
    return record.id();
  }

  @Override
  public long pid() {
    return record.pid();
  }

  @Override
  public FunctionSpec spec() {
    return record.spec();
  }

  @Override
  public State state() {
    return process.exit().isDone() ? State.LOST : State.FROZEN;
  }

  @Override
  public int threads() {
    return record.blueprint().threads();
  }

  @Override
  public long residentBytes() {
    return state() == State.LOST ? 0 : ProcFs.residentBytes(record.pid());
  }

  @Override
  public List<String> warnings() {
    List<String> all = new ArrayList<>(record.warnings());
    all.addAll(rehearsalWarnings);
    return List.copyOf(all);
  }

  @Override
  public Replay replay() {
    Replay replay = recorder.replay();
    return reader == null ? replay : replay.ofImage(reader.pages(), reader.reads());
  }

  @Override
  public void replaying(boolean on) {
    recorder.replaying(on);
  }

  @Override
  public WorkingSetReport workingSet() throws IOException {
    return recorder.report(RegionNames.of(record.pid()));
  }

  @Override
  public boolean adopted() {
    return adopted;
  }

  @Override
  public FunctionJvm fork(boolean replay) throws NotStartedException {
    return newClone(replay ? recorder.onDemand() : recorder.plain());
  }

  @Override
  public FunctionJvm forkAhead() throws NotStartedException {
    HostedJvm clone = newClone(recorder.ahead());
    try {
      clone.awaitStarted(FORK_AHEAD_TIMEOUT);
      if (recorder.counts(clone)) {
        services.later(REPLAY_TIME, () -> clone.countFaults(recorder.replaying()));
      }
      return clone;
    } catch (NotStartedException e) {
      clone.close();
      throw e;
    }
  }

  /**
   * Records first calls made with the payloads of the warm-up, so that the first clone for a real
   * request can replay them already.
   */
  void rehearse(Warmup warmup) {
    int count = rehearsals(warmup);
    for (int i = 0; i < count; i++) {
      rehearse(warmup, i);
    }
  }

  /** How many first calls are rehearsed with a warm-up. */
  static int rehearsals(Warmup warmup) {
    return warmup.payloads().isEmpty()
        ? 0
        : Math.min(warmup.count(), CloneRecorder.RECORDED_AT_FIRST);
  }

  /**
   * One of these calls; its clone has ended when this returns.
   *
   * @param number which one, from 0
   * @return whether it was answered
   */
  boolean rehearse(Warmup warmup, int number) {
    byte[] payload = warmup.payloads().get(number % warmup.payloads().size());
    try {
      HostedJvm clone = newClone(recorder.plain());
      clone.secrets(warmup.secrets());
      clone.invoke(new Invocation("rehearsal-" + number, Map.of(), payload), warmup.callTimeout());
      clone.recordFirstCall();
      clone.close();
      clone.awaitExit();
      return true;
    } catch (NotStartedException | FunctionJvm.DiedException | FunctionJvm.TimedOutException e) {
      LOG.warn("rehearsal {} of zygote {} failed", number, id(), e);
      // Once: the next clone is as this one.
      rehearsalWarnings = List.of("A first call with a warm-up payload failed: " + e.getMessage());
      return false;
    }
  }

  private HostedJvm newClone(ForkServerClient.Request request) throws NotStartedException {
    if (state() == State.LOST) {
      throw new NotStartedException(
          "zygote-lost", "Zygote " + id() + " is lost: it " + process.exit().join() + ".");
    }
    long start = services.nanoTime().getAsLong();
    if (reader != null && recorder.replaying()) {
      reader.look();
    }
    try (Sockets.Pair channel = Sockets.streamPair();
        Sockets.Pair output = Sockets.pipe()) {
      Sockets.sendBuffer(channel.first(), SEND_BUFFER_BYTES);
      HostedJvm clone = describe(channel.first(), output.first(), nextLimits());
      if (reader != null && recorder.replaying()) {
        clone.beforeLateCalls(reader::look);
      }
      made.accept(clone);
      if (namespace != null) {
        namespace.keepUntil(clone.exit());
      }
      ask(clone, request, channel.second(), output.second(), start);
      watchOutput(clone);
      return clone;
    } catch (KernelException e) {
      throw notSent(e);
    }
  }

  private static void watchOutput(HostedJvm clone) throws KernelException {
    try {
      clone.watchOutput();
    } catch (KernelException e) {
      clone.close();
      throw e;
    }
  }

  private ProcessLimits nextLimits() throws NotStartedException {
    try {
      return limits.next();
    } catch (IOException e) {
      throw new NotStartedException(
          "no-control-group",
          "A clone of zygote " + id() + " would run without its limits: " + e.getMessage());
    }
  }

  private String stepName(int step) {
    return ForkServerClient.stepName(step, limits.placement())
        .orElseGet(() -> record.blueprint().stepName(step));
  }

  private HostedJvm describe(Fd channel, Fd output, ProcessLimits own) {
    String cloneId = cloneIds.get();
    ByteBuffer renew = FrameCodec.encode(new Frame.Renew(cloneId));
    ByteBuffer first = ByteBuffer.allocate(1 + renew.remaining()).put(GO).put(renew).flip();
    JvmOutput kept = new JvmOutput(output.move(), services);
    HostedJvm clone =
        new HostedJvm(
            cloneId,
            new JvmChannel(channel.move(), services.nanoTime()),
            kept,
            first,
            own,
            this::stepName,
            services,
            recorder.chooses() ? recorder::record : null);
    clone.clockAhead(clockAheadNanos);
    return clone;
  }

  private void ask(
      HostedJvm clone, ForkServerClient.Request request, Fd channel, Fd output, long start)
      throws NotStartedException {
    ForkServerClient.Request used = clone.records() ? recorder.plain() : request;
    try {
      client.fork(
          used,
          channel,
          output,
          clone.limits().descriptors(),
          result -> {
            answered(clone, result, start);
            recorder.answered(used, result);
          });
    } catch (KernelException e) {
      NotStartedException reason = notSent(e);
      clone.notStarted(reason);
      throw reason;
    }
  }

  private NotStartedException notSent(KernelException e) {
    return new NotStartedException(
        e.errno() == Errno.EPIPE ? "zygote-lost" : "fork-not-sent",
        "Zygote " + id() + " could not be asked for a clone: " + e.getMessage());
  }

  private void answered(HostedJvm clone, long result, long start) {
    if (result > 0) {
      listener.phase(kind.engine(), "clone", services.nanoTime().getAsLong() - start);
      clone.started((int) result);
    } else if (result == -Errno.ESRCH) {
      clone.notStarted(
          new NotStartedException("zygote-lost", "Zygote " + id() + " was lost while it forked."));
    } else {
      clone.notStarted(
          new NotStartedException(
              "fork-failed",
              "Zygote "
                  + id()
                  + " could not fork: clone: "
                  + Errno.name((int) -result)
                  + ". Check the limits on processes and memory with 'pilotlight doctor'."));
    }
  }

  @Override
  public CompletableFuture<ExitStatus> lost() {
    return process.exit();
  }

  @Override
  public void retire() {
    var unused = client.drain().thenRun(process::kill);
  }

  @Override
  public void close() {
    process.kill();
  }
}
