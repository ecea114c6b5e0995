package io.pilotlight.engine;

import io.pilotlight.linux.DescriptorMessage;
import io.pilotlight.linux.DescriptorReceiver;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import io.pilotlight.recorder.ReplayPlan;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's end of a fork server. A request is sent without waiting; its reply is handled on the
 * event loop, so that whoever asked for a clone can already talk to it. Thread-safe.
 */
public final class ForkServerClient implements AutoCloseable {
  /** The clone's channel, and its output; the descriptors of its placement follow. */
  static final int OWN_DESCRIPTORS = 2;

  private final Object lock = new Object();
  private final Fd socket;
  private final EventLoop loop;
  private final EventLoop.Watch watch;
  private final CloneCall call;
  private final long region;
  private final DescriptorReceiver receiver = new DescriptorReceiver(ResidentLayout.REPLY_BYTES);
  private final Map<Long, LongConsumer> waiting = new ConcurrentHashMap<>();
  private final CompletableFuture<Void> lost = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private long nextId = 1;
  private volatile boolean draining;

  /** What a step of a request with that placement was; empty for a step of the zygote's own. */
  public static Optional<String> stepName(int step, Placement placement) {
    return ResidentLayout.requestStepName(step, placement);
  }

  /** How many ranges a plan may have. */
  public static final int MAX_RANGES = ResidentLayout.MAX_RANGES;

  /** A request for a clone, written once and sent many times. */
  public static final class Request {
    private final DescriptorMessage message;
    private final long pages;

    private Request(DescriptorMessage message, long pages) {
      this.message = message;
      this.pages = pages;
    }

    /** How many pages the clone touches. */
    public long pages() {
      return pages;
    }
  }

  /**
   * Talks to a fork server.
   *
   * @param socket connected to it; owned from now on
   * @param call by which it makes clones
   * @param region where the fork server's region begins
   * @param loop handles the replies
   */
  ForkServerClient(Fd socket, CloneCall call, long region, EventLoop loop) throws KernelException {
    this.socket = socket;
    this.loop = loop;
    this.call = call;
    this.region = region;
    this.watch = loop.watch(socket, this::receive);
  }

  /**
   * Prepares requests for clones that touch memory ahead of their first call.
   *
   * @param replay at most {@link #MAX_RANGES} ranges
   * @param placement how each gets into the groups whose descriptors come with {@link #fork}
   */
  public Request request(ReplayPlan replay, Placement placement) {
    DescriptorMessage message =
        new DescriptorMessage(
            ResidentLayout.forkRequestBytes(replay, placement),
            OWN_DESCRIPTORS + placement.groups().size());
    ResidentLayout.writeForkRequest(message.payload(), region, call, replay, placement);
    return new Request(message, replay.pages());
  }

  /**
   * Asks for a clone.
   *
   * @param request made by this client
   * @param channel becomes the clone's control channel; may be closed here when this returns
   * @param output becomes its stdout and stderr; likewise
   * @param groups the descriptors of the request's placement; likewise
   * @param answer called once, on the event loop: with the pid; with a negated error number if the
   *     fork failed; with -ESRCH if the zygote was lost before it answered
   * @throws KernelException if the request cannot be sent: EPIPE when the zygote is lost, EAGAIN
   *     when it is overrun; {@code answer} is not called then
   */
  public void fork(Request request, Fd channel, Fd output, List<Fd> groups, LongConsumer answer)
      throws KernelException {
    Fd[] taken = new Fd[OWN_DESCRIPTORS + groups.size()];
    taken[0] = channel;
    taken[1] = output;
    for (int i = 0; i < groups.size(); i++) {
      taken[OWN_DESCRIPTORS + i] = groups.get(i);
    }
    send(request, taken, answer);
  }

  /**
   * Asks for a clone of a fork server whose clones get all standard streams.
   *
   * @param channel becomes the clone's control channel; may be closed here when this returns
   * @param streams become its stdin, stdout and stderr; likewise
   * @param answer as for {@link #fork}
   * @throws KernelException as for {@link #fork}
   */
  public void fork(Fd channel, List<Fd> streams, LongConsumer answer) throws KernelException {
    int descriptors = 1 + streams.size();
    DescriptorMessage message =
        new DescriptorMessage(
            ResidentLayout.forkRequestBytes(ReplayPlan.NONE, Placement.NONE), descriptors);
    ResidentLayout.writeForkRequest(
        message.payload(), region, call, ReplayPlan.NONE, Placement.NONE);
    Fd[] taken = new Fd[descriptors];
    taken[0] = channel;
    for (int i = 1; i < descriptors; i++) {
      taken[i] = streams.get(i - 1);
    }
    send(new Request(message, 0), taken, answer);
  }

  private void send(Request request, Fd[] taken, LongConsumer answer) throws KernelException {
    // The lock covers one sendmsg that does not wait.
    synchronized (lock) {
      if (!socket.open()) {
        throw new KernelException("sendmsg", "the zygote's connection is closed", Errno.EPIPE);
      }
      if (draining) {
        throw new KernelException("sendmsg", "the zygote is no longer in use", Errno.EPIPE);
      }
      long id = nextId++;
      request.message.payload().putLong(0, id);
      waiting.put(id, answer);
      try {
        request.message.send(socket, taken);
      } catch (KernelException e) {
        waiting.remove(id);
        throw e;
      }
    }
  }

  private void receive() {
    try {
      DescriptorReceiver.Received received = receiver.receive(socket);
      int bytes = received.bytes();
      if (bytes == ResidentLayout.REPLY_BYTES) {
        // Before whoever waits is forgotten: he is told of the end of the connection otherwise.
        long result = result(receiver.payload().getLong(8), received.descriptor());
        LongConsumer answer = waiting.remove(receiver.payload().getLong(0));
        if (answer != null) {
          answer.accept(result);
        }
        noteDrained();
      } else if (bytes != Sockets.WOULD_BLOCK) {
        lose();
      }
    } catch (IOException e) {
      lose();
    }
  }

  /**
   * The clone's pid as it is here; a zygote in a PID namespace of its own knows another, and sends
   * a descriptor with it.
   */
  private static long result(long pid, @Nullable Fd pidfd) throws IOException {
    if (pidfd == null) {
      return pid;
    }
    try (pidfd) {
      return Processes.pid(pidfd).orElse(-Errno.ECHILD);
    }
  }

  /**
   * Takes no more requests.
   *
   * @return completes when each that was sent has been answered; never if the fork server is lost
   *     before
   */
  public CompletableFuture<Void> drain() {
    synchronized (lock) {
      draining = true;
    }
    noteDrained();
    return drained;
  }

  private void noteDrained() {
    if (draining && waiting.isEmpty()) {
      drained.complete(null);
    }
  }

  private void lose() {
    abandon();
    lost.complete(null);
  }

  /**
   * Completes, on the event loop, when the fork server has ended the connection, or it cannot be
   * read: no clone can be made by it any more. Not when it is closed here.
   */
  public CompletableFuture<Void> lost() {
    return lost;
  }

  /** The zygote is gone: nobody will answer any more. */
  private void abandon() {
    watch.cancel();
    waiting
        .keySet()
        .forEach(
            id -> {
              LongConsumer answer = waiting.remove(id);
              if (answer != null) {
                answer.accept(-Errno.ESRCH);
              }
            });
  }

  /** Lets go of the fork server, which then waits for another connection. */
  @Override
  public void close() {
    abandon();
    // On the loop, where replies are read, and under the lock of the senders: nobody uses the
    // number any more then.
    loop.execute(
        () -> {
          synchronized (lock) {
            socket.close();
          }
        });
  }
}
