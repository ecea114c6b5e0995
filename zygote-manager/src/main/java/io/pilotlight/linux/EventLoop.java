package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.EPOLL_CREATE1;
import static io.pilotlight.linux.Syscall.EPOLL_CTL;
import static io.pilotlight.linux.Syscall.EPOLL_WAIT;
import static io.pilotlight.linux.Syscall.EVENTFD2;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that waits on many descriptors with epoll(7) and calls back. Handlers must return
 * quickly and must not block: they share the thread. Thread-safe.
 */
public final class EventLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);
  private static final int CTL_ADD = 1;
  private static final int CTL_DEL = 2;
  private static final int EPOLLIN = 1;
  private static final int CLOEXEC = 0x80000;
  private static final int BATCH = 64;

  /** struct epoll_event is packed on x86-64. */
  private static final int EVENT_BYTES = 12;

  private static final byte[] ONE = {1, 0, 0, 0, 0, 0, 0, 0};

  private final Fd epoll;
  private final Fd wakeUp;
  private final Map<Long, Runnable> handlers = new ConcurrentHashMap<>();
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final Thread thread;
  private long nextKey = 1;
  private volatile boolean closed;

  /** Starts its thread, a daemon thread of that name. */
  public EventLoop(String name) throws KernelException {
    epoll = new Fd(Kernel.check(Kernel.call(EPOLL_CREATE1, CLOEXEC), "epoll_create1", ""));
    wakeUp = new Fd(Kernel.check(Kernel.call(EVENTFD2, 0, CLOEXEC), "eventfd2", ""));
    control(CTL_ADD, wakeUp, 0);
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** A descriptor that is being watched. */
  public final class Watch {
    private final Fd fd;
    private final long key;

    private Watch(Fd fd, long key) {
      this.fd = fd;
      this.key = key;
    }

    /** Stops watching. Must be called before the descriptor is closed. Idempotent. */
    public void cancel() {
      if (handlers.remove(key) != null && fd.open() && epoll.open()) {
        Kernel.call(EPOLL_CTL, epoll.number(), CTL_DEL, fd.number(), 0);
      }
    }
  }

  /**
   * Calls {@code handler} whenever the descriptor is readable, at its end of stream, or in error;
   * level-triggered: again until that is dealt with.
   */
  public synchronized Watch watch(Fd fd, Runnable handler) throws KernelException {
    long key = nextKey++;
    handlers.put(key, handler);
    try {
      control(CTL_ADD, fd, key);
    } catch (KernelException e) {
      handlers.remove(key);
      throw e;
    }
    return new Watch(fd, key);
  }

  /** Runs a task on the loop's thread, soon. */
  public void execute(Runnable task) {
    tasks.add(task);
    wake();
  }

  private void wake() {
    try {
      Sockets.writeAll(wakeUp, ONE);
    } catch (KernelException e) {
      throw new IllegalStateException("event loop cannot be woken", e);
    }
  }

  private void control(int operation, Fd fd, long key) throws KernelException {
    ByteBuffer event = Kernel.scratch();
    event.putInt(0, EPOLLIN).putLong(4, key);
    long result =
        Kernel.call(EPOLL_CTL, epoll.number(), operation, fd.number(), Kernel.address(event));
    Reference.reachabilityFence(event);
    Kernel.check(result, "epoll_ctl", "descriptor " + fd.number());
  }

  private void run() {
    ByteBuffer events =
        ByteBuffer.allocateDirect(BATCH * EVENT_BYTES).order(ByteOrder.nativeOrder());
    ByteBuffer count = ByteBuffer.allocateDirect(8);
    while (!closed) {
      long ready = Kernel.call(EPOLL_WAIT, epoll.number(), Kernel.address(events), BATCH, -1);
      if (ready < 0) {
        LOG.error("epoll_wait failed: {}", Errno.name((int) -ready));
        return;
      }
      for (int i = 0; i < ready; i++) {
        long key = events.getLong(i * EVENT_BYTES + 4);
        if (key == 0) {
          drain(count);
        } else {
          Runnable handler = handlers.get(key);
          if (handler != null) {
            guarded(handler);
          }
        }
      }
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        guarded(task);
      }
    }
  }

  private void drain(ByteBuffer count) {
    count.clear();
    try {
      Sockets.read(wakeUp, count);
    } catch (KernelException e) {
      LOG.error("event loop's eventfd cannot be read", e);
    }
  }

  /** One handler's fault must not end the others' loop. */
  private static void guarded(Runnable handler) {
    try {
      handler.run();
    } catch (RuntimeException e) {
      LOG.error("handler of an event failed", e);
    }
  }

  /** Ends the thread, waits for it, and releases its descriptors. Watched descriptors stay open. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    wake();
    boolean interrupted = false;
    while (thread.isAlive() && Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    wakeUp.close();
    epoll.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
