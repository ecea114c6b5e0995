package io.pilotlight.engine;

import io.pilotlight.linux.DescriptorMessage;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.EventLoop;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * The daemon's end of a fork server. A request is sent without waiting; its reply is handled on the
 * event loop, so that whoever asked for a clone can already talk to it. Thread-safe.
 */
public final class ForkServerClient implements AutoCloseable {
  private final Fd socket;
  private final EventLoop loop;
  private final EventLoop.Watch watch;
  private final DescriptorMessage request =
      new DescriptorMessage(ResidentLayout.FORK_REQUEST_BYTES, 2);
  private final ByteBuffer reply =
      ByteBuffer.allocateDirect(ResidentLayout.REPLY_BYTES).order(ByteOrder.nativeOrder());
  private final Map<Long, LongConsumer> waiting = new ConcurrentHashMap<>();
  private long nextId = 1;

  /**
   * Talks to a fork server.
   *
   * @param socket connected to it; owned from now on
   * @param leaderThreadId address of glibc's copy of the leader's id in it
   * @param loop handles the replies
   */
  ForkServerClient(Fd socket, long leaderThreadId, EventLoop loop) throws KernelException {
    this.socket = socket;
    this.loop = loop;
    ResidentLayout.writeForkRequest(request.payload(), leaderThreadId);
    this.watch = loop.watch(socket, this::receive);
  }

  /**
   * Asks for a clone.
   *
   * @param channel becomes the clone's control channel; may be closed here when this returns
   * @param output becomes its stdout and stderr; likewise
   * @param answer called once, on the event loop: with the pid; with a negated error number if the
   *     fork failed; with -ESRCH if the zygote was lost before it answered
   * @throws KernelException if the request cannot be sent: EPIPE when the zygote is lost, EAGAIN
   *     when it is overrun; {@code answer} is not called then
   */
  public void fork(Fd channel, Fd output, LongConsumer answer) throws KernelException {
    // The lock covers one sendmsg that does not wait.
    synchronized (request) {
      if (!socket.open()) {
        throw new KernelException("sendmsg", "the zygote's connection is closed", Errno.EPIPE);
      }
      long id = nextId++;
      request.payload().putLong(0, id);
      waiting.put(id, answer);
      try {
        request.send(socket, channel, output);
      } catch (KernelException e) {
        waiting.remove(id);
        throw e;
      }
    }
  }

  private void receive() {
    try {
      int bytes = Sockets.receive(socket, reply);
      if (bytes == ResidentLayout.REPLY_BYTES) {
        LongConsumer answer = waiting.remove(reply.getLong(0));
        if (answer != null) {
          answer.accept(reply.getLong(8));
        }
      } else if (bytes != Sockets.WOULD_BLOCK) {
        abandon();
      }
    } catch (KernelException e) {
      abandon();
    }
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
          synchronized (request) {
            socket.close();
          }
        });
  }
}
