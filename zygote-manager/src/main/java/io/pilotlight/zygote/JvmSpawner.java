package io.pilotlight.zygote;

import io.pilotlight.engine.ConfinedStart;
import io.pilotlight.engine.Confinement;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Processes;
import io.pilotlight.zygote.FunctionJvm.NotStartedException;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Starts JVMs under their limits, and in their namespaces if they are confined. Thread-safe.
 *
 * <p>The kernel tells a process's death to the thread that started it. Clones ask to be killed when
 * their parent dies, and a clone's parent is the thread that started its zygote: so all are started
 * by one thread that lives as long as the host.
 */
final class JvmSpawner {
  /** How long the end of a process may take to be known. */
  private static final Duration END_TIME = Duration.ofMillis(500);

  private final ExecutorService thread;
  private final EventLoop loop;
  private final ResourceLimits limits;
  private final Set<PidNamespace> namespaces = ConcurrentHashMap.newKeySet();

  /**
   * As described.
   *
   * @param thread the one thread
   * @param loop is told when a process has ended
   */
  JvmSpawner(ExecutorService thread, EventLoop loop, ResourceLimits limits) {
    this.thread = thread;
    this.loop = loop;
    this.limits = limits;
  }

  /**
   * Starts one. Waits for the thread whatever happens: it uses the caller's descriptors, and takes
   * some milliseconds.
   *
   * @param jvm is told its process, or that there will be none
   * @return its PID namespace; null if it is not confined
   */
  @Nullable PidNamespace spawn(
      HostedJvm jvm,
      ConfinedStart.Program program,
      @Nullable Confinement confinement,
      List<Fd> descriptors)
      throws IOException {
    try {
      jvm.watchOutput();
      return CompletableFuture.supplyAsync(
              () -> spawnNow(jvm, program, confinement, descriptors), thread)
          .join();
    } catch (KernelException e) {
      jvm.notStarted(new NotStartedException("spawn-failed", e.toString()));
      throw e;
    } catch (CompletionException e) {
      throw new IOException(e.getCause() == null ? e : e.getCause());
    }
  }

  private @Nullable PidNamespace spawnNow(
      HostedJvm jvm,
      ConfinedStart.Program program,
      @Nullable Confinement confinement,
      List<Fd> descriptors) {
    int pid;
    int keeperPid = 0;
    try {
      if (confinement == null) {
        pid =
            Processes.spawn(
                program.command(), program.environment(), program.directory(), descriptors);
      } else {
        // Its user's limits are not this process's to set any more when it has its ids.
        ConfinedStart.Started started =
            ConfinedStart.start(
                confinement,
                program,
                shell -> limits.restrict(shell, jvm.limits().limits()),
                descriptors);
        pid = started.pid();
        keeperPid = started.keeperPid();
      }
    } catch (IOException e) {
      jvm.notStarted(new NotStartedException("spawn-failed", e.toString()));
      throw new CompletionException(e);
    }
    jvm.started(pid);
    try {
      PidNamespace namespace = keeperPid == 0 ? null : enter(keeperPid, jvm.exit());
      // It has not been told yet what to run.
      limit(jvm, pid, confinement == null);
      return namespace;
    } catch (IOException e) {
      jvm.close();
      throw new CompletionException(e);
    }
  }

  /**
   * A process that has ended already cannot be limited, nor need it: what it does not like about
   * its arguments it tells whoever speaks to it next.
   */
  private void limit(HostedJvm jvm, int pid, boolean restrict) throws IOException {
    try {
      if (restrict) {
        limits.restrict(pid, jvm.limits().limits());
      }
      jvm.limits().enter(pid);
    } catch (IOException e) {
      if (!Ends.within(END_TIME, List.of(jvm.exit()))) {
        throw e;
      }
    }
  }

  /** A namespace that is there, for as long as a member of it lives. */
  PidNamespace enter(int keeperPid, CompletableFuture<ExitStatus> member) throws IOException {
    PidNamespace namespace = PidNamespace.of(keeperPid, loop);
    namespaces.add(namespace);
    namespace.exit().thenRun(() -> namespaces.remove(namespace));
    namespace.keepUntil(member);
    return namespace;
  }

  /** When each namespace that is there now has ended. */
  Collection<CompletableFuture<ExitStatus>> ends() {
    return namespaces.stream().map(PidNamespace::exit).toList();
  }
}
