package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.engine.ForkEngine;
import io.pilotlight.engine.ForkEngine.Blueprint;
import io.pilotlight.engine.ForkEngine.NotAtRestException;
import io.pilotlight.engine.ForkServerOptions;
import io.pilotlight.engine.ForkServerOptions.Streams;
import io.pilotlight.engine.UnclonableException;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Java program that runs under management: it can be frozen into an image, at its own wish or at
 * another's. Thread-safe.
 *
 * <p>The image is written while the program stands frozen, and only then the program ends or goes
 * on: without an image nothing has happened to it.
 */
public final class Program {
  private static final Logger LOG = LoggerFactory.getLogger(Program.class);

  /** How long it may take to come to rest; then it is frozen as it is. */
  private static final Duration REST_TIMEOUT = Duration.ofSeconds(1);

  /** How long the thread that reads the channel may take to get there. */
  private static final Duration READER_TIMEOUT = Duration.ofSeconds(10);

  private static final Duration PAUSE = Duration.ofMillis(5);

  private final int pid;
  private final ProgramSpec spec;
  private final Checkpoints checkpoints;
  private final ProcessWatch watch;
  private final ProgramChannel channel;
  private final ForkEngine engine;
  private final ZygoteImages images;
  private final LongSupplier nanoTime;
  private final @Nullable Blueprint blueprint;
  private @Nullable Request asked;

  /**
   * What is done about the checkpoints that a program asks for.
   *
   * @param image where its image is written; null if it gets none
   * @param goesOn whether the program goes on afterwards, else it ends
   * @param policy rules about descriptors
   */
  public record Checkpoints(@Nullable Path image, boolean goesOn, DescriptorPolicy policy) {}

  /** A checkpoint that was asked for from outside. */
  private record Request(Path image, boolean goesOn, CompletableFuture<ImageSummary> result) {}

  /** What programs share. */
  record Services(EventLoop loop, ForkEngine engine, ZygoteImages images, LongSupplier nanoTime) {}

  /**
   * Of a process that was made.
   *
   * @param blueprint by which it was restored; null if it was started
   */
  Program(
      int pid,
      ProgramSpec spec,
      Checkpoints checkpoints,
      ProcessWatch watch,
      Fd channel,
      Services services,
      @Nullable Blueprint blueprint)
      throws KernelException {
    this.blueprint = blueprint;
    this.pid = pid;
    this.spec = spec;
    this.checkpoints = checkpoints;
    this.watch = watch;
    this.engine = services.engine();
    this.images = services.images();
    this.nanoTime = services.nanoTime();
    this.channel = new ProgramChannel(channel, services.loop(), this::received);
    watch.exit().thenRun(this::ended);
  }

  /** Its process. */
  public int pid() {
    return pid;
  }

  /** Completes when it has ended. */
  public CompletableFuture<ExitStatus> exit() {
    return watch.exit();
  }

  /** Sends it a signal, unless it has ended. */
  public void signal(int number) throws KernelException {
    watch.signal(number);
  }

  /** Kills it. */
  void kill() {
    watch.kill();
  }

  ProgramChannel channel() {
    return channel;
  }

  /**
   * Has it make a checkpoint.
   *
   * @param image a directory that is made
   * @param goesOn whether the program goes on afterwards, else it ends
   * @return completes when the image is written; with an {@link ImageException} if there is none,
   *     and then the program goes on
   */
  public CompletableFuture<ImageSummary> checkpoint(Path image, boolean goesOn) {
    Request request = new Request(image, goesOn, new CompletableFuture<>());
    synchronized (this) {
      if (asked != null) {
        request.result().completeExceptionally(refused("a checkpoint is in progress already"));
        return request.result();
      }
      asked = request;
    }
    try {
      channel.send(new Frame.Checkpoint());
    } catch (IOException | IllegalStateException e) {
      answer(refused("it cannot be reached: " + e.getMessage()));
    }
    return request.result();
  }

  private ImageException refused(String why) {
    return new ImageException(
        Reason.UNSUPPORTED, "No checkpoint of process " + pid + " was made: " + why + ".");
  }

  private synchronized @Nullable Request take() {
    Request request = asked;
    asked = null;
    return request;
  }

  private void answer(ImageException failure) {
    Request request = take();
    if (request != null) {
      request.result().completeExceptionally(failure);
    }
  }

  private void ended() {
    channel.close();
    answer(refused("it has ended"));
  }

  private void received(Frame frame) {
    if (frame instanceof Frame.CheckpointRequested) {
      Path image = checkpoints.image();
      if (image == null) {
        refuse("this program was started without --image, so there is no place for its image");
      } else {
        freeze(new Request(image, checkpoints.goesOn(), new CompletableFuture<>()));
      }
    } else if (frame instanceof Frame.Checkpointed told) {
      told.notes().forEach(note -> LOG.warn("{}", note));
      Request request = take();
      if (request != null) {
        freeze(request);
      }
    } else if (frame instanceof Frame.Failed failed) {
      answer(refused(failed.failure().summary()));
    } else if (frame instanceof Frame.StepFailed failed) {
      LOG.error(
          "the restored process could not become itself: {} failed with {}",
          blueprint == null ? "step " + failed.step() : blueprint.stepName(failed.step()),
          Errno.name(failed.errno()));
    } else {
      LOG.warn("a program sent a {} frame, which means nothing here", frame.name());
    }
  }

  private void refuse(String why) {
    try {
      channel.send(
          new Frame.Failed(
              Frame.Phase.CHECKPOINT,
              new Failure(ImageException.class.getName(), why, List.of(), null)));
    } catch (IOException | IllegalStateException e) {
      LOG.debug("process {} has ended before it was told that it has no image", pid, e);
    }
  }

  /** On a thread of its own: the kernel ties tracing to one. */
  private void freeze(Request request) {
    CompletableFuture<ImageSummary> written =
        TracerThread.start(pid, () -> freezeNow(request.image(), request.goesOn()));
    written.whenComplete(
        (image, failure) -> {
          if (failure == null) {
            resume(request);
            request.result().complete(image);
          } else {
            ImageException named =
                failure instanceof ImageException e
                    ? e
                    : new ImageException(
                        Reason.SYSTEM, "Process " + pid + " was not frozen: " + failure, failure);
            refuse(String.valueOf(named.getMessage()));
            request.result().completeExceptionally(named);
          }
        });
  }

  private void resume(Request request) {
    if (request.goesOn()) {
      try {
        channel.send(new Frame.Resumed(false, Map.of(), Map.of(), List.of()));
      } catch (IOException | IllegalStateException e) {
        LOG.debug("process {} has ended after its image was written", pid, e);
      }
    }
  }

  private ImageSummary freezeNow(Path image, boolean goesOn) throws ImageException {
    if (Files.exists(image)) {
      throw new ImageException(
          Reason.SYSTEM,
          image + " is there already; an image is never changed. Remove it, or name another.");
    }
    List<Long> children =
        ProcessHandle.of(pid).stream()
            .flatMap(ProcessHandle::children)
            .map(ProcessHandle::pid)
            .toList();
    if (!children.isEmpty()) {
      throw new ImageException(
          Reason.UNSUPPORTED,
          "Process "
              + pid
              + " has started "
              + children
              + ", and no restored process would be the parent of these. Let them end before.");
    }
    ForkServerOptions options =
        new ForkServerOptions(
            JvmCommand.CHANNEL_DESCRIPTOR,
            JvmCommand.LISTEN_DESCRIPTOR,
            false,
            false,
            checkpoints.policy(),
            null,
            Streams.ALL);
    try {
      return freezeInTime(options, image, goesOn ? null : watch::kill);
    } catch (UnclonableException e) {
      throw new ImageException(
          Reason.UNSUPPORTED, "Process " + pid + " cannot be frozen. " + e.getMessage(), e);
    } catch (IOException e) {
      throw new ImageException(
          Reason.SYSTEM,
          "Process "
              + pid
              + " could not be frozen: "
              + e.getMessage()
              + ". 'pilotlight doctor' tells what this machine lacks.",
          e);
    }
  }

  private ImageSummary freezeInTime(ForkServerOptions options, Path image, @Nullable Runnable end)
      throws IOException, UnclonableException, ImageException {
    long begin = nanoTime.getAsLong();
    while (true) {
      long nanos = nanoTime.getAsLong() - begin;
      try {
        boolean early = nanos < REST_TIMEOUT.toNanos();
        return engine.snapshot(pid, options, early, early, frozen -> write(frozen, image), end);
      } catch (NotAtRestException e) {
        if (nanos > READER_TIMEOUT.toNanos()) {
          throw new IOException(String.valueOf(e.getMessage()), e);
        }
        pause();
      } catch (WriteException e) {
        throw e.reason();
      }
    }
  }

  /** Carries the reason through the engine. */
  private static final class WriteException extends IOException {
    private static final long serialVersionUID = 1L;
    private final ImageException reason;

    WriteException(ImageException reason) {
      super(reason);
      this.reason = reason;
    }

    ImageException reason() {
      return reason;
    }
  }

  private ImageSummary write(ForkEngine.Frozen frozen, Path image) throws IOException {
    frozen.notes().forEach(note -> LOG.info("{}", note));
    try {
      return images.write(
          new ZygoteImages.Original(
              "p-" + pid, pid, spec, frozen.blueprint(), frozen.residence(), frozen.notes()),
          image);
    } catch (ImageException e) {
      throw new WriteException(e);
    }
  }

  private void pause() throws EOFException {
    if (Ends.within(PAUSE, List.of(watch.exit()))) {
      throw new EOFException("it has ended before it could be frozen");
    }
  }
}
