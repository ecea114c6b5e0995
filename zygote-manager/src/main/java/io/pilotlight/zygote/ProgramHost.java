package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.engine.ConfinedStart;
import io.pilotlight.engine.ForkEngine;
import io.pilotlight.engine.ForkEngine.Blueprint;
import io.pilotlight.engine.ForkServerClient;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import io.pilotlight.zygote.ImageException.Reason;
import io.pilotlight.zygote.Program.Checkpoints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Starts Java programs, and restores them from their images, as children of this process with its
 * standard streams. Thread-safe.
 */
public final class ProgramHost implements AutoCloseable {
  private static final int STREAMS = 3;
  private static final byte GO = 1;
  private static final long CLONE_SECONDS = 10;
  private static final Path NOWHERE = Path.of("/dev/null");

  /** What the agent does in a program; see Premain. */
  private static final String AGENT_ARGUMENT = "program";

  private final Path runDirectory;
  private final Path agentJar;
  private final LongSupplier nanoTime;
  private final EventLoop loop;
  private final Program.Services services;

  /** The parent of all: it lives as long as this host, and programs end with it. */
  private final ExecutorService spawner;

  /**
   * Opens it.
   *
   * @param runDirectory for sockets; nobody else may enter it
   * @param agentJar the agent
   * @throws KernelException if the kernel refuses what it needs
   */
  public ProgramHost(Path runDirectory, Path agentJar) throws KernelException {
    this.runDirectory = runDirectory;
    this.agentJar = agentJar;
    this.nanoTime = System::nanoTime;
    this.loop = new EventLoop("pilotlight-programs");
    this.services =
        new Program.Services(
            loop,
            new ForkEngine(loop, nanoTime),
            new ZygoteImages(nanoTime, System::currentTimeMillis),
            nanoTime);
    this.spawner =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "pilotlight-spawner");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Starts a program.
   *
   * @param environment all of it
   * @throws IOException if a step failed; no process is left then
   */
  public Program start(ProgramSpec spec, Map<String, String> environment, Checkpoints checkpoints)
      throws IOException {
    List<Fd> descriptors = streams();
    try (Sockets.Pair channel = Sockets.streamPair()) {
      descriptors.add(channel.second());
      // Nothing of its own may come under this number: its clones put theirs there.
      descriptors.add(channel.second());
      int pid =
          onSpawner(
              () -> Processes.spawn(command(spec), environment, spec.directory(), descriptors));
      return watch(pid, spec, checkpoints, channel.first(), null);
    } finally {
      descriptors.forEach(Fd::close);
    }
  }

  private List<String> command(ProgramSpec spec) {
    List<String> command = new ArrayList<>();
    command.add(spec.command().get(0));
    command.add("-XX:-UsePerfData");
    command.add("-javaagent:" + agentJar + "=" + AGENT_ARGUMENT);
    command.add("-Dpilotlight.control.fd=" + JvmCommand.CHANNEL_DESCRIPTOR);
    command.addAll(spec.command().subList(1, spec.command().size()));
    return command;
  }

  private Program watch(
      int pid, ProgramSpec spec, Checkpoints checkpoints, Fd channel, @Nullable Blueprint blueprint)
      throws IOException {
    ProcessWatch watch =
        ProcessWatch.of(pid, loop)
            .orElseThrow(() -> new IOException("process " + pid + " cannot be watched"));
    return new Program(pid, spec, checkpoints, watch, channel.move(), services, blueprint);
  }

  /**
   * What a restored program finds.
   *
   * @param environment all variables
   * @param properties system properties that it gets
   * @param arguments a class whose main runs first, and its arguments; or empty
   */
  public record Surroundings(
      Map<String, String> environment, Map<String, String> properties, List<String> arguments) {
    /** Copies them. */
    public Surroundings {
      environment = Map.copyOf(environment);
      properties = Map.copyOf(properties);
      arguments = List.copyOf(arguments);
    }
  }

  /**
   * Restores a program from its image.
   *
   * @throws ImageException if it cannot be restored here and now; no process is left then
   * @throws InterruptedException if this thread is interrupted; likewise
   */
  public Program restore(Path directory, Surroundings surroundings, Checkpoints checkpoints)
      throws ImageException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      throw new ImageException(Reason.DAMAGED, "there is no image " + directory);
    }
    ImageDirectory.Content image = services.images().openTrusting(directory);
    if (!(image.manifest().subject() instanceof ProgramSpec spec)) {
      throw new ImageException(
          Reason.UNSUPPORTED,
          "Image "
              + directory
              + " is of the function '"
              + image.manifest().subject().name()
              + "', and no program's; a daemon restores it.");
    }
    try {
      return restore(directory, image, spec, surroundings, checkpoints);
    } catch (IOException e) {
      throw new ImageException(
          ImageRestorer.reason(e),
          "Image " + directory + " cannot be restored: " + e.getMessage(),
          e);
    }
  }

  private Program restore(
      Path directory,
      ImageDirectory.Content image,
      ProgramSpec spec,
      Surroundings surroundings,
      Checkpoints checkpoints)
      throws IOException, InterruptedException {
    String name = ProcessHandle.current().pid() + "-" + Long.toHexString(nanoTime.getAsLong());
    Path socket = runDirectory.resolve(name);
    try (Fd listener = Sockets.listen(runDirectory, name)) {
      ConfinedStart.Started blank =
          new ImageRestorer(spawner, loop, new ClockReader(nanoTime))
              .restore(
                  new ConfinedStart.Program(
                      List.of(JvmCommand.java(spec.javaHome()).toString()),
                      Map.of(),
                      spec.directory(),
                      ""),
                  null,
                  pid -> {},
                  listener,
                  new ImageRestorer.Image(image.state(), new ImageDirectory(directory).pages()));
      ProcessWatch server =
          ProcessWatch.of(blank.pid(), loop)
              .orElseThrow(() -> new IOException("process " + blank.pid() + " ended at once"));
      try (ForkServerClient client =
          services
              .engine()
              .connect(
                  runDirectory, name, image.manifest().blueprint(), image.state().residence())) {
        return clone(client, image.manifest().blueprint(), spec, surroundings, checkpoints);
      } finally {
        server.kill();
      }
    } finally {
      Files.deleteIfExists(socket);
    }
  }

  private Program clone(
      ForkServerClient client,
      Blueprint blueprint,
      ProgramSpec spec,
      Surroundings surroundings,
      Checkpoints checkpoints)
      throws IOException, InterruptedException {
    List<Fd> streams = streams();
    try (Sockets.Pair channel = Sockets.streamPair()) {
      CompletableFuture<Long> made = new CompletableFuture<>();
      client.fork(channel.second(), streams, made::complete);
      long pid = made.get(CLONE_SECONDS, TimeUnit.SECONDS);
      if (pid < 0) {
        throw new KernelException("clone", "the restored process", (int) -pid);
      }
      Program program = watch((int) pid, spec, checkpoints, channel.first(), blueprint);
      boolean told = false;
      try {
        program.channel().send(ByteBuffer.wrap(new byte[] {GO}));
        program.channel().send(resumed(surroundings));
        told = true;
        return program;
      } finally {
        if (!told) {
          program.kill();
        }
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("the process that the image was put into does not answer", e);
    } finally {
      streams.forEach(Fd::close);
    }
  }

  private static ByteBuffer resumed(Surroundings surroundings) {
    return FrameCodec.encode(
        new Frame.Resumed(
            true, surroundings.environment(), surroundings.properties(), surroundings.arguments()));
  }

  /** This process's own; nothing where it has none. */
  private static List<Fd> streams() throws KernelException {
    List<Fd> streams = new ArrayList<>();
    for (int number = 0; number < STREAMS; number++) {
      try {
        streams.add(OpenFile.standard(number));
      } catch (KernelException e) {
        if (e.errno() != Errno.EBADF) {
          throw e;
        }
        streams.add(OpenFile.readOnly(NOWHERE));
      }
    }
    return streams;
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
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw cause instanceof IOException failed ? failed : new IOException(cause);
    }
  }

  /** Ends nothing: programs that run then end with this process. */
  @Override
  public void close() {
    spawner.shutdown();
    loop.close();
  }
}
