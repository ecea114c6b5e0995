package io.pilotlight.zygote;

import io.pilotlight.engine.ImageEngine;
import io.pilotlight.engine.ImageState;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;

/**
 * Starts the process that an image is restored into. It is the image's own java launcher, stopped
 * before its first instruction, so that the kernel shows it as what it is going to be. A shell
 * waits for a line before it executes it, which leaves time to attach to it.
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

  /**
   * As described.
   *
   * @param spawner the thread that is to be the parent of the process and its clones
   * @param loop is told when a process has ended
   */
  ImageRestorer(Executor spawner, EventLoop loop) {
    this.spawner = spawner;
    this.loop = loop;
  }

  /**
   * Restores.
   *
   * @param program the java launcher
   * @param directory its working directory
   * @param listener the fork server's listening socket
   * @return the process, a fork server
   * @throws IOException if a step failed; no process is left then
   * @throws InterruptedException if this thread is interrupted; likewise
   */
  int restore(Path program, Path directory, Fd listener, ImageState state, Path pages)
      throws IOException, InterruptedException {
    List<Fd> files = ZygoteImages.openFiles(state);
    try (Sockets.Pair go = Sockets.streamPair();
        Fd nothing = OpenFile.readOnly(NOWHERE);
        Fd pagesFile = OpenFile.readOnly(pages)) {
      List<Fd> descriptors = List.of(nothing, nothing, nothing, nothing, listener, go.second());
      int pid = spawn(program, directory, descriptors);
      boolean done = false;
      try {
        revive(pid, go.first(), state, pagesFile, files);
        done = true;
        return pid;
      } finally {
        if (!done) {
          end(pid);
        }
      }
    } finally {
      files.forEach(Fd::close);
    }
  }

  private int spawn(Path program, Path directory, List<Fd> descriptors) throws IOException {
    List<String> command = List.of(SHELL, "-c", SCRIPT, program.toString());
    try {
      return CompletableFuture.supplyAsync(
              () -> {
                try {
                  return Processes.spawn(command, Map.of(), directory, descriptors);
                } catch (KernelException e) {
                  throw new CompletionException(e);
                }
              },
              spawner)
          .join();
    } catch (CompletionException e) {
      throw new IOException(e.getCause() == null ? e : e.getCause());
    }
  }

  private static void revive(int pid, Fd go, ImageState state, Fd pages, List<Fd> files)
      throws IOException, InterruptedException {
    CompletableFuture<Boolean> result =
        TracerThread.start(
            pid,
            () -> {
              ImageEngine.revive(pid, () -> writeLine(go), state, pages, files);
              return true;
            });
    try {
      result.get();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      throw new IOException(cause == null ? e.toString() : cause.getMessage(), cause);
    } finally {
      // Also if this thread is interrupted: it uses this call's descriptors, for milliseconds.
      result.handle((done, failure) -> done).join();
    }
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
