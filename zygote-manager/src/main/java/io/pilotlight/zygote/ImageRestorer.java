package io.pilotlight.zygote;

import io.pilotlight.engine.ClockShift;
import io.pilotlight.engine.ConfinedStart;
import io.pilotlight.engine.ConfinedStart.Preparation;
import io.pilotlight.engine.ConfinedStart.Program;
import io.pilotlight.engine.ConfinedStart.Started;
import io.pilotlight.engine.Confinement;
import io.pilotlight.engine.ImageEngine;
import io.pilotlight.engine.ImageState;
import io.pilotlight.engine.TimeNamespace;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Starts the process that an image is restored into. It is the image's own java launcher, stopped
 * before its first instruction, so that the kernel shows it as what it is going to be.
 *
 * <p>Without isolation a shell waits for a line before it executes it, which leaves time to attach
 * to it; a confined one is attached to when it is made.
 */
final class ImageRestorer {
  private static final String SHELL = "/bin/sh";

  /** The first descriptor behind those of a fork server: the shell reads its line there. */
  private static final int GO_DESCRIPTOR = JvmCommand.LISTEN_DESCRIPTOR + 1;

  private static final String SCRIPT =
      "read -r go <&" + GO_DESCRIPTOR + " && exec \"$0\" " + GO_DESCRIPTOR + "<&-";

  private static final Path NOWHERE = Path.of("/dev/null");

  private final Executor spawner;
  private final EventLoop loop;
  private final ClockReader clock;

  /**
   * As described.
   *
   * @param spawner the thread that is to be the parent of the process and its clones
   * @param loop is told when a process has ended
   * @param clock the clocks of this process
   */
  ImageRestorer(Executor spawner, EventLoop loop, ClockReader clock) {
    this.spawner = spawner;
    this.loop = loop;
    this.clock = clock;
  }

  /** What is restored. */
  record Image(ImageState state, Path pages) {}

  /**
   * Restores.
   *
   * @param program the java launcher, and what it is started with
   * @param confinement null for none
   * @param limiting limits what the process may use
   * @param listener the fork server's listening socket
   * @return the process, a fork server; its keeper is 0 if it is not confined
   * @throws IOException if a step failed; no process is left then
   * @throws InterruptedException if this thread is interrupted; likewise
   */
  Started restore(
      Program program,
      @Nullable Confinement confinement,
      Preparation limiting,
      Fd listener,
      Image image)
      throws IOException, InterruptedException {
    ImageState state = image.state();
    ClockShift clocks = ClockShift.forward(state.residence(), clock.now());
    List<Fd> sources = ImageEngine.sources(state, image.pages());
    try (Fd nothing = OpenFile.readOnly(NOWHERE)) {
      List<Fd> descriptors = new ArrayList<>(List.of(nothing, nothing, nothing, nothing, listener));
      if (confinement == null) {
        int pid = restorePlain(program, limiting, descriptors, sources, state, clocks);
        return new Started(pid, 0);
      }
      descriptors.addAll(sources);
      return onSpawner(
          () -> ConfinedStart.restore(confinement, program, limiting, descriptors, state, clocks));
    } finally {
      sources.forEach(Fd::close);
    }
  }

  private int restorePlain(
      Program program,
      Preparation limiting,
      List<Fd> given,
      List<Fd> sources,
      ImageState state,
      ClockShift clocks)
      throws IOException, InterruptedException {
    List<String> command = List.of(SHELL, "-c", SCRIPT, program.command().get(0));
    List<Fd> descriptors = new ArrayList<>(given);
    try (Sockets.Pair go = Sockets.streamPair()) {
      descriptors.add(go.second());
      int firstSource = descriptors.size();
      descriptors.addAll(sources);
      int pid =
          onSpawner(
              () ->
                  Processes.spawn(
                      command, program.environment(), program.directory(), descriptors));
      boolean done = false;
      try {
        limiting.prepare(pid);
        revive(pid, go.first(), state, firstSource, clocks);
        done = true;
        return pid;
      } finally {
        if (!done) {
          end(pid);
        }
      }
    }
  }

  private <T> T onSpawner(Callable<T> task) throws IOException {
    try {
      return CompletableFuture.supplyAsync(
              () -> {
                try {
                  return task.call();
                } catch (Exception e) {
                  throw new CompletionException(e);
                }
              },
              spawner)
          .join();
    } catch (CompletionException e) {
      throw failure(e.getCause() == null ? e : e.getCause());
    }
  }

  private static void revive(int pid, Fd go, ImageState state, int firstSource, ClockShift clocks)
      throws IOException, InterruptedException {
    CompletableFuture<Boolean> result =
        TracerThread.start(
            pid,
            () -> {
              ImageEngine.revive(pid, () -> writeLine(go), state, firstSource, clocks);
              return true;
            });
    try {
      result.get();
    } catch (ExecutionException e) {
      throw failure(e.getCause() == null ? e : e.getCause());
    } finally {
      // Also if this thread is interrupted: it uses this call's descriptors, for milliseconds.
      result.handle((done, failure) -> done).join();
    }
  }

  /** What kind of failure it is that {@link #restore} has thrown. */
  static Reason reason(IOException failure) {
    return failure.getCause() instanceof TimeNamespace.RefusedException
        ? Reason.CLOCK
        : Reason.SYSTEM;
  }

  private static IOException failure(Throwable cause) {
    return new IOException(
        cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
  }

  private static void writeLine(Fd go) throws KernelException {
    byte[] line = "go\n".getBytes(StandardCharsets.US_ASCII);
    Sockets.write(go, ByteBuffer.allocateDirect(line.length).put(0, line));
  }

  private void end(int pid) throws KernelException {
    Optional<ProcessWatch> process = ProcessWatch.of(pid, loop);
    if (process.isPresent()) {
      process.get().kill();
      process.get().exit().join();
    }
  }
}
