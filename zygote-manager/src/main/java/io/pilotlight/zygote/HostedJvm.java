package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.agent.wire.WireException;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.zygote.JvmChannel.DeadlineException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A JVM with our agent: a clone, a cold JVM, or one that is being made a zygote. Which process it
 * is may become known after it has been talked to: a clone on demand is sent its request before its
 * zygote has told its pid.
 */
final class HostedJvm implements FunctionJvm {
  /** How long after the end of its channel a process may take to end. */
  private static final Logger LOG = LoggerFactory.getLogger(HostedJvm.class);

  private static final Duration END_GRACE = Duration.ofSeconds(2);
  private static final Duration WATCH_PAUSE = Duration.ofMillis(100);

  /** In less time the kernel takes nothing from a process that it needs for its next call. */
  private static final Duration LONG_WHILE = Duration.ofSeconds(1);

  private static final int TAIL_BYTES = 4096;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final String id;
  private final JvmChannel channel;
  private final JvmOutput output;
  private final HostServices services;
  private final ProcessLimits limits;
  private final IntFunction<String> stepName;
  private final CompletableFuture<Started> started = new CompletableFuture<>();
  private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();

  /** How far its monotonic clock is ahead of this process's. */
  private volatile long clockAheadNanos;

  private volatile @Nullable ByteBuffer firstBytes;
  private volatile ByteBuffer secrets = NOTHING;
  private volatile @Nullable Overrun overrun;
  private volatile boolean finished;
  private volatile boolean hooks = true;
  private volatile @Nullable IntConsumer recorder;
  private volatile @Nullable Runnable wakeUp;
  private volatile long calledNanos;

  /** As it was while the process waited; null if its faults are not counted. */
  private volatile @Nullable FirstCallFaults faultsBefore;

  /** The process, once it is known. */
  private record Started(int pid, ProcessWatch watch) {}

  /**
   * A JVM that {@link #started} or {@link #notStarted} will be called for.
   *
   * @param firstBytes sent before its first frame, or null
   * @param limits its limits; released when it has ended
   * @param stepName says what the step of a StepFailed frame was
   * @param recorder given the process id to record what the first call touched, or null
   */
  HostedJvm(
      String id,
      JvmChannel channel,
      JvmOutput output,
      @Nullable ByteBuffer firstBytes,
      ProcessLimits limits,
      IntFunction<String> stepName,
      HostServices services,
      @Nullable IntConsumer recorder) {
    this.recorder = recorder;
    this.id = id;
    this.channel = channel;
    this.output = output;
    this.firstBytes = firstBytes;
    this.limits = limits;
    this.stepName = stepName;
    this.services = services;
  }

  /** Its clock is ahead of this process's: to be said before its first call. */
  void clockAhead(long nanos) {
    clockAheadNanos = nanos;
  }

  /** Its process exists. Kills it at once if {@link #close} was called meanwhile. */
  void started(int pid) {
    try {
      Optional<ProcessWatch> watch = ProcessWatch.of(pid, services.loop());
      if (watch.isEmpty()) {
        notStarted(new NotStartedException("clone-died", "There is no process " + pid + "."));
        return;
      }
      watch.get().exit().thenAccept(this::ended);
      started.complete(new Started(pid, watch.get()));
    } catch (KernelException e) {
      // It may be serving already, and nobody else will reap it.
      LOG.warn("process {} cannot be watched yet", pid, e);
      services.later(WATCH_PAUSE, () -> started(pid));
    }
  }

  /** Has its output read as it comes: to be called once, when it has been asked for. */
  void watchOutput() throws KernelException {
    output.watch();
  }

  /** There will be no process. */
  void notStarted(NotStartedException reason) {
    started.completeExceptionally(reason);
    ended(new ExitStatus.Unknown());
  }

  private void ended(ExitStatus status) {
    boolean byUs = finished;
    finished = true;
    output.finish();
    channel.close();
    services.forget(this);
    if (!byUs && !(status instanceof ExitStatus.Exited exited && exited.code() == 0)) {
      // Its group forgets with its release.
      overrun = limits.ending(status, outputTail(JvmOutput.KEPT_BYTES)).orElse(null);
    }
    limits.release();
    exit.complete(status);
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public long pid() {
    try {
      return started.get().pid();
    } catch (ExecutionException e) {
      return -1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return -1;
    }
  }

  /**
   * Has the next invocation begin as a clone's first one does, so that warm-up warms that too.
   *
   * @param cloneId what the agent takes itself for until it is told otherwise
   */
  void renewBeforeNext(String cloneId) {
    firstBytes = FrameCodec.encode(new Frame.Renew(cloneId));
  }

  @Override
  public void secrets(Map<String, String> values) {
    secrets = values.isEmpty() ? NOTHING : FrameCodec.encode(new Frame.Secrets(values));
  }

  /** Its limits. */
  ProcessLimits limits() {
    return limits;
  }

  /** The process; only for a JVM that has been started. */
  ProcessWatch watch() {
    return started.join().watch();
  }

  /** Waits until the process exists. */
  void awaitStarted(Duration timeout) throws NotStartedException {
    try {
      started.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw notStartedCause(e);
    } catch (TimeoutException e) {
      throw new NotStartedException(
          "fork-timeout", "The zygote made no clone within " + timeout + ".");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NotStartedException("interrupted", "The wait for a clone was interrupted.");
    }
  }

  private static NotStartedException notStartedCause(ExecutionException e) {
    return e.getCause() instanceof NotStartedException cause
        ? cause
        : new NotStartedException("fork-failed", String.valueOf(e.getCause()));
  }

  @Override
  public Reply invoke(Invocation invocation, Duration timeout)
      throws NotStartedException, DiedException, TimedOutException {
    Frame answer = call(invocation, timeout);
    Reply reply = replyOrNull(answer);
    if (reply == null) {
      throw noReply(answer);
    }
    return reply;
  }

  /** Calls a JVM that is being warmed; empty if the function asks for its checkpoint instead. */
  Optional<Reply> warm(Invocation invocation, Duration timeout)
      throws NotStartedException, DiedException, TimedOutException {
    Frame answer = call(invocation, timeout);
    Reply reply = replyOrNull(answer);
    if (reply == null && !(answer instanceof Frame.CheckpointRequested)) {
      throw noReply(answer);
    }
    return Optional.ofNullable(reply);
  }

  /** Has something done before each call that comes after a long while. */
  void beforeLateCalls(Runnable task) {
    calledNanos = services.nanoTime().getAsLong();
    wakeUp = task;
  }

  private void wakeUp(long now) {
    Runnable task = wakeUp;
    if (task != null && now - calledNanos >= LONG_WHILE.toNanos()) {
      task.run();
    }
    calledNanos = now;
  }

  private Frame call(Invocation invocation, Duration timeout)
      throws NotStartedException, DiedException, TimedOutException {
    long now = services.nanoTime().getAsLong();
    wakeUp(now);
    long deadline = now + timeout.toNanos();
    long deadlineMillis = services.epochMillis().getAsLong() + timeout.toMillis();
    ByteBuffer frame =
        FrameCodec.encode(
            new Frame.Invoke(
                invocation.requestId(),
                deadlineMillis,
                invocation.attributes(),
                invocation.payload()));
    if (!channel.claim()) {
      throw tookNothing();
    }
    try {
      ByteBuffer direct = services.buffer();
      handOver(direct, deadline, frame);
      return channel.receive(direct, deadline);
    } catch (DeadlineException e) {
      close();
      throw new TimedOutException(
          "The function gave no answer within "
              + timeout.toMillis()
              + " ms; its process was killed.");
    } catch (WireException e) {
      close();
      throw died("broke its channel (" + e.getMessage() + ")");
    } catch (IOException e) {
      if (leftUnread(e)) {
        throw tookNothing();
      }
      throw died("ended");
    } finally {
      channel.release();
    }
  }

  /**
   * Whether the process closed its end with bytes in it that nobody has read, which the kernel
   * tells apart from an orderly end; see unix(7) and unix_release_sock. A request that was not read
   * to its end was not run.
   */
  private static boolean leftUnread(IOException e) {
    return e instanceof KernelException failure && failure.errno() == Errno.ECONNRESET;
  }

  /** Until the last byte is written the request has certainly not been run. */
  private void handOver(ByteBuffer direct, long deadline, ByteBuffer frame)
      throws NotStartedException, DeadlineException {
    try {
      ByteBuffer first = firstBytes;
      ByteBuffer second = secrets;
      firstBytes = null;
      secrets = NOTHING;
      channel.send(direct, deadline, first == null ? NOTHING : first, second, frame);
    } catch (KernelException e) {
      close();
      throw tookNothing();
    }
  }

  private NotStartedException tookNothing() throws NotStartedException {
    awaitStarted(END_GRACE);
    return new NotStartedException(
        "clone-died",
        "Process "
            + id
            + " took no request: it "
            + ending(awaitExit())
            + ". "
            + outputTail(TAIL_BYTES));
  }

  private @Nullable Reply replyOrNull(Frame frame) {
    if (frame instanceof Frame.Result result) {
      hooks = result.hooks();
      return new Reply.Success(
          here(result.enteredNanos()), here(result.finishedNanos()), result.payload());
    }
    if (frame instanceof Frame.Fault fault) {
      hooks = fault.hooks();
      return new Reply.Fault(
          fault.kind(),
          here(fault.enteredNanos()),
          here(fault.finishedNanos()),
          fault.failure(),
          limits.cause(fault.failure()).orElse(null));
    }
    return null;
  }

  /** A time of the process by this process's clock; 0 stays what it is. */
  private long here(long nanos) {
    return nanos == 0 ? 0 : nanos - clockAheadNanos;
  }

  /** What an answer means that is none; the process is of no use any more. */
  private DiedException noReply(Frame frame) throws NotStartedException {
    close();
    if (frame instanceof Frame.StepFailed failed) {
      throw new NotStartedException(
          "step-failed",
          "Clone "
              + id
              + " could not become itself: "
              + stepName.apply(failed.step())
              + " failed with "
              + Errno.name(failed.errno())
              + ".");
    }
    if (frame instanceof Frame.Failed failed) {
      boolean restore = failed.phase() == Frame.Phase.RESTORE;
      throw new NotStartedException(
          restore ? NotStartedException.RESTORE_FAILED : "initialisation-failed",
          "Clone "
              + id
              + (restore ? " cannot serve: " : " could not finish its initialisation: ")
              + (restore ? failed.failure().message() : failed.failure().summary())
              + ".");
    }
    return died("answered a request with a " + frame.name() + " frame");
  }

  private DiedException died(String how) throws NotStartedException {
    ExitStatus status = awaitExit();
    if (started.isCompletedExceptionally()) {
      awaitStarted(END_GRACE);
    }
    String tail = outputTail(TAIL_BYTES);
    return new DiedException(
        "The function's process " + how + " during the call: it " + ending(status) + ".",
        status,
        tail,
        overrun);
  }

  /** How it ended, and of which limit, in words that follow "it". */
  String ending(ExitStatus status) {
    Overrun limit = overrun;
    return limit == null ? status.toString() : status + ", over its " + limit.limit();
  }

  /** How it ended; a process that has closed its channel and lives on is killed. */
  ExitStatus awaitExit() {
    try {
      return exit.get(END_GRACE.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      // Its channel is closed, but it lives: nothing can be expected of it any more.
      close();
      return exit.join();
    } catch (ExecutionException e) {
      return new ExitStatus.Unknown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new ExitStatus.Unknown();
    }
  }

  /** Sends a frame that is no invocation, and waits for what comes back. */
  Frame exchange(Frame frame, long deadlineNanos) throws IOException, DeadlineException {
    if (!channel.claim()) {
      throw new EOFException("the JVM has ended");
    }
    try {
      ByteBuffer direct = services.buffer();
      channel.send(direct, deadlineNanos, FrameCodec.encode(frame));
      return channel.receive(direct, deadlineNanos);
    } finally {
      channel.release();
    }
  }

  @Override
  public boolean alive() {
    return !finished;
  }

  @Override
  public CompletableFuture<ExitStatus> exit() {
    return exit;
  }

  @Override
  public String outputTail(int maxBytes) {
    return output.tail(maxBytes);
  }

  @Override
  public boolean records() {
    return recorder != null;
  }

  @Override
  public void recordFirstCall() {
    IntConsumer chosen = recorder;
    recorder = null;
    if (chosen != null) {
      // A clone on demand may have answered before its zygote has told its process id.
      long pid = pid();
      if (pid > 0 && !finished) {
        chosen.accept((int) pid);
      }
    }
  }

  /** Begins to count the page faults of its first call, if it still waits for that. */
  void countFaults(boolean replays) {
    Started process = started.getNow(null);
    if (process == null || finished) {
      return;
    }
    OptionalLong before = ProcFs.minorFaults(process.pid());
    if (before.isPresent() && firstBytes != null) {
      faultsBefore = new FirstCallFaults(replays && recorder == null, before.getAsLong());
    }
  }

  @Override
  public Optional<FirstCallFaults> firstCallFaults() {
    FirstCallFaults before = faultsBefore;
    faultsBefore = null;
    Started process = started.getNow(null);
    if (before == null || process == null || finished) {
      return Optional.empty();
    }
    OptionalLong after = ProcFs.minorFaults(process.pid());
    return after.isEmpty()
        ? Optional.empty()
        : Optional.of(new FirstCallFaults(before.replayed(), after.getAsLong() - before.faults()));
  }

  @Override
  public void markOutput() {
    output.mark();
  }

  @Override
  public String outputSinceMark(int maxBytes) {
    return output.sinceMark(maxBytes);
  }

  @Override
  public OptionalLong privateBytes() {
    Started process = started.getNow(null);
    return process == null || finished ? OptionalLong.empty() : ProcFs.privateBytes(process.pid());
  }

  @Override
  public void stop(Duration grace) {
    if (finished) {
      return;
    }
    if (!hooks) {
      close();
      return;
    }
    finished = true;
    if (firstBytes != null || !channel.claim()) {
      // It still waits with one thread: the end of its channel ends it.
      channel.close();
    } else {
      try {
        long now = services.nanoTime().getAsLong();
        channel.send(services.buffer(), now + 1, FrameCodec.encode(new Frame.Stop()));
      } catch (KernelException | DeadlineException e) {
        close();
        return;
      } finally {
        channel.release();
      }
    }
    services.later(grace, this::close);
  }

  @Override
  public void close() {
    finished = true;
    started.thenAccept(process -> process.watch().kill());
  }
}
