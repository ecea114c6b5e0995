package io.pilotlight.engine;

import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Sockets;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Freezes JVMs into fork servers, and connects to them. Thread-safe. */
public final class ForkEngine {
  private static final Logger LOG = LoggerFactory.getLogger(ForkEngine.class);

  private static final String CONTROL_GROUPS = "/sys/fs/cgroup/";

  private final EventLoop loop;
  private final LongSupplier nanoTime;

  /** With the loop that handles the replies of fork servers, and a clock in nanoseconds. */
  public ForkEngine(EventLoop loop, LongSupplier nanoTime) {
    this.loop = loop;
    this.nanoTime = nanoTime;
  }

  /**
   * What a fork server needs to be used, now or by a later daemon.
   *
   * @param threads how many threads each clone gets
   * @param call by which it makes clones
   * @param stepNames what the steps of a StepFailed frame are
   */
  public record Blueprint(int threads, CloneCall call, List<String> stepNames) {
    /** Copies the list. */
    public Blueprint {
      stepNames = List.copyOf(stepNames);
    }

    /** Says what a step was. */
    public String stepName(int step) {
      return step >= 0 && step < stepNames.size() ? stepNames.get(step) : "step " + step;
    }
  }

  /**
   * How long the phases of a freeze took, and what came of it.
   *
   * @param notes one sentence for each descriptor that a rule allowed
   * @param residence what an image must know
   */
  public record Frozen(
      Blueprint blueprint,
      List<String> notes,
      Residence residence,
      long freezeNanos,
      long collapseNanos,
      long installNanos) {}

  /** Why a process was not frozen for good: it is not at rest. It runs on. */
  public static final class NotAtRestException extends Exception {
    private static final long serialVersionUID = 1L;

    NotAtRestException(String message) {
      super(message);
    }
  }

  /**
   * Freezes a process and installs a fork server in it. Everything happens on the calling thread,
   * which must be a platform thread.
   *
   * @param pid a process whose agent reads from the channel
   * @param requireRest whether every thread must be waiting; the one that reads from the channel
   *     always must
   * @param again whether this can be tried again: then a file of its control group that is open is
   *     a reason to
   * @throws NotAtRestException if a thread is not where it should be; the process runs on, and this
   *     can be tried again
   * @throws UnclonableException if the process holds what cannot be cloned; it runs on
   * @throws IOException if a step failed; the process can only be ended then
   */
  public Frozen freeze(int pid, ForkServerOptions options, boolean requireRest, boolean again)
      throws IOException, NotAtRestException, UnclonableException {
    long start = nanoTime.getAsLong();
    FrozenProcess process = FrozenProcess.freeze(pid);
    long frozen = nanoTime.getAsLong();
    boolean left = false;
    try {
      requireFit(process, options, requireRest, again);
      ForkServer.Installed installed = new ForkServer(process, options, nanoTime).install();
      left = true;
      return describe(installed, start, frozen);
    } finally {
      if (!left) {
        process.release();
      }
    }
  }

  /** Takes down what there is of a process that stands frozen. */
  @FunctionalInterface
  public interface Taking<R> {
    /** Does it; from what is in its memory it can be made to go on. */
    R take(Frozen frozen) throws IOException, UnclonableException;
  }

  /**
   * Freezes a process, has it taken down as the fork server that it would be, and lets it run on as
   * it was, or end. Everything happens on the calling thread, which must be a platform thread.
   *
   * @param pid as for {@link #freeze}
   * @param requireRest likewise
   * @param again likewise
   * @param end ends the process while it stands; null if it is to go on
   * @return what {@code taking} returned
   * @throws NotAtRestException as for {@link #freeze}
   * @throws UnclonableException if the process holds what cannot be cloned; it runs on
   * @throws IOException if a step failed; the process runs on
   */
  public <R> R snapshot(
      int pid,
      ForkServerOptions options,
      boolean requireRest,
      boolean again,
      Taking<R> taking,
      @Nullable Runnable end)
      throws IOException, NotAtRestException, UnclonableException {
    long start = nanoTime.getAsLong();
    FrozenProcess process = FrozenProcess.freeze(pid);
    long frozen = nanoTime.getAsLong();
    ForkServer server = new ForkServer(process, options, nanoTime);
    boolean taken = false;
    try {
      requireFit(process, options, requireRest, again);
      R result = taking.take(describe(server.prepare(), start, frozen));
      taken = true;
      if (end == null) {
        server.withdraw();
      } else {
        end.run();
      }
      return result;
    } finally {
      if (!taken) {
        withdraw(server, pid);
      }
      process.release();
    }
  }

  /** What has failed before is worth more than what fails now. */
  private static void withdraw(ForkServer server, int pid) {
    try {
      server.withdraw();
    } catch (IOException e) {
      LOG.warn("process {} keeps some memory of its freeze", pid, e);
    }
  }

  private Frozen describe(ForkServer.Installed installed, long start, long frozen) {
    Blueprint blueprint =
        new Blueprint(installed.threads(), installed.call(), installed.stepNames());
    return new Frozen(
        blueprint,
        installed.notes(),
        installed.residence(),
        frozen - start,
        installed.collapseNanos(),
        nanoTime.getAsLong() - frozen - installed.collapseNanos());
  }

  private static void requireFit(
      FrozenProcess process, ForkServerOptions options, boolean requireRest, boolean again)
      throws IOException, NotAtRestException {
    requireReader(process, options.channelDescriptor());
    if (again) {
      requireNoGroupFile(process.pid());
    }
    if (requireRest) {
      requireRest(process);
    }
  }

  private static void requireReader(FrozenProcess process, int channel) throws NotAtRestException {
    if (process.threads().stream().noneMatch(thread -> thread.readsFrom(channel))) {
      throw new NotAtRestException("no thread reads from descriptor " + channel + " yet");
    }
  }

  /**
   * HotSpot opens such a file for an instant now and then, to see what memory there is
   * (os::available_memory). An image in which it is open could not be restored once the group has
   * been removed.
   */
  private static void requireNoGroupFile(int pid) throws IOException, NotAtRestException {
    for (int descriptor : ProcFs.descriptors(pid)) {
      String target = ProcFs.descriptorTarget(pid, descriptor);
      if (target.startsWith(CONTROL_GROUPS)) {
        throw new NotAtRestException("it reads " + target);
      }
    }
  }

  private static void requireRest(FrozenProcess process) throws NotAtRestException {
    Optional<ThreadState> busy = process.busyThread();
    if (busy.isPresent()) {
      throw new NotAtRestException("thread '" + busy.get().name() + "' is computing");
    }
  }

  /** Connects to the fork server whose socket is {@code directory/name}. */
  public ForkServerClient connect(
      Path directory, String name, Blueprint blueprint, Residence residence) throws IOException {
    Fd socket = Sockets.connect(directory, name);
    try {
      return new ForkServerClient(socket, blueprint.call(), residence.region(), loop);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }
}
