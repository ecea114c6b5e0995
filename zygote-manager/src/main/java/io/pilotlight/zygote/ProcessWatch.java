package io.pilotlight.zygote;

import static io.pilotlight.linux.Uapi.SIGKILL;

import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Processes;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds a process by its descriptor: kills it, and reaps it as soon as it ends. Thread-safe. */
final class ProcessWatch {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessWatch.class);
  private final Fd pidfd;
  private final EventLoop.Watch watch;
  private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();

  private ProcessWatch(Fd pidfd, EventLoop loop) throws KernelException {
    this.pidfd = pidfd;
    this.watch = loop.watch(pidfd, this::ended);
  }

  /** Watches a process; empty if there is none of that pid. */
  static Optional<ProcessWatch> of(int pid, EventLoop loop) throws KernelException {
    Optional<Fd> pidfd = Processes.pidfd(pid);
    if (pidfd.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new ProcessWatch(pidfd.get(), loop));
    } catch (KernelException e) {
      pidfd.get().close();
      throw e;
    }
  }

  private void ended() {
    ExitStatus status = new ExitStatus.Unknown();
    try {
      Optional<Processes.Ended> ended = Processes.reap(pidfd);
      if (ended.isPresent()) {
        int code = ended.get().codeOrSignal();
        status =
            ended.get().exited() ? new ExitStatus.Exited(code) : new ExitStatus.Signalled(code);
      }
    } catch (KernelException e) {
      LOG.warn("exit status of a process cannot be read", e);
    }
    synchronized (this) {
      watch.cancel();
      pidfd.close();
    }
    exit.complete(status);
  }

  /** Kills it, unless it has ended. */
  void kill() {
    try {
      signal(SIGKILL);
    } catch (KernelException e) {
      LOG.error("a process cannot be killed", e);
    }
  }

  /** Sends it a signal, unless it has ended. */
  synchronized void signal(int number) throws KernelException {
    if (pidfd.open()) {
      Processes.signal(pidfd, number);
    }
  }

  /** Completes on the event loop, once it has ended and been reaped. */
  CompletableFuture<ExitStatus> exit() {
    return exit;
  }
}
