package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.BIND;
import static io.pilotlight.linux.Syscall.CONNECT;
import static io.pilotlight.linux.Syscall.FCNTL;
import static io.pilotlight.linux.Syscall.GETSOCKOPT;
import static io.pilotlight.linux.Syscall.LISTEN;
import static io.pilotlight.linux.Syscall.PIPE2;
import static io.pilotlight.linux.Syscall.POLL;
import static io.pilotlight.linux.Syscall.READ;
import static io.pilotlight.linux.Syscall.RECVFROM;
import static io.pilotlight.linux.Syscall.SENDTO;
import static io.pilotlight.linux.Syscall.SETSOCKOPT;
import static io.pilotlight.linux.Syscall.SOCKET;
import static io.pilotlight.linux.Syscall.SOCKETPAIR;
import static io.pilotlight.linux.Syscall.WRITE;
import static io.pilotlight.linux.Uapi.AF_UNIX;
import static io.pilotlight.linux.Uapi.F_SETFL;
import static io.pilotlight.linux.Uapi.SOCK_STREAM;
import static io.pilotlight.linux.Uapi.SOL_SOCKET;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Unix sockets and pipes, and what travels on them. See unix(7), pipe(2). Thread-safe. */
public final class Sockets {
  /** The most descriptors that one message carries here. */
  public static final int MAX_FDS = 8;

  /** poll(2): there is something to read. */
  public static final short POLLIN = 1;

  /** poll(2): there is room to write. */
  public static final short POLLOUT = 4;

  /**
   * What {@link #read} and {@link #receive} return when nothing is there yet on a non-blocking
   * descriptor.
   */
  public static final int WOULD_BLOCK = -1;

  private static final short POLLHUP = 16;

  private static final int SOCK_SEQPACKET = 5;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int NONBLOCK = 0x800;
  private static final int SO_TYPE = 3;
  private static final int SO_SNDBUF = 7;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int SUN_PATH_BYTES = 108;

  private Sockets() {}

  /** Two descriptors that are connected. */
  public record Pair(Fd first, Fd second) implements AutoCloseable {
    /** Closes both. */
    @Override
    public void close() {
      first.close();
      second.close();
    }
  }

  /** A connected pair of stream sockets, close-on-exec; the first one does not block. */
  public static Pair streamPair() throws KernelException {
    return pair(SOCKETPAIR, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, "socketpair");
  }

  /** A pipe, close-on-exec: first to read from, which does not block, second to write to. */
  public static Pair pipe() throws KernelException {
    return pair(PIPE2, 0, 0, 0, "pipe2");
  }

  private static Pair pair(long call, long domain, long type, long protocol, String name)
      throws KernelException {
    ByteBuffer numbers = Kernel.scratch();
    long address = Kernel.address(numbers);
    long result =
        call == PIPE2
            ? Kernel.call(call, address, SOCK_CLOEXEC)
            : Kernel.call(call, domain, type, protocol, address);
    Kernel.check(result, name, "");
    Pair pair = new Pair(new Fd(numbers.getInt(0)), new Fd(numbers.getInt(4)));
    try {
      Kernel.check(
          Kernel.call(FCNTL, pair.first().number(), F_SETFL, NONBLOCK), "fcntl", "O_NONBLOCK");
    } catch (KernelException e) {
      pair.close();
      throw e;
    }
    return pair;
  }

  /**
   * A listening SOCK_SEQPACKET socket.
   *
   * @param directory where it is to appear; may be longer than a socket address takes
   * @param name its file name in there
   */
  public static Fd listen(Path directory, String name) throws KernelException {
    Fd socket = packetSocket();
    try (Fd parent = OpenFile.directory(directory)) {
      addressed(BIND, "bind", socket, parent, name, directory);
      Kernel.check(Kernel.call(LISTEN, socket.number(), 8), "listen", name);
      return socket;
    } catch (KernelException e) {
      socket.close();
      throw e;
    }
  }

  /** Connects to a socket made by {@link #listen}. The result blocks. */
  public static Fd connect(Path directory, String name) throws KernelException {
    Fd socket = packetSocket();
    try (Fd parent = OpenFile.directory(directory)) {
      addressed(CONNECT, "connect", socket, parent, name, directory);
      return socket;
    } catch (KernelException e) {
      socket.close();
      throw e;
    }
  }

  private static Fd packetSocket() throws KernelException {
    return new Fd(
        Kernel.check(
            Kernel.call(SOCKET, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), "socket", "AF_UNIX"));
  }

  /**
   * A socket address holds 107 bytes only; the directory is therefore named through its open
   * descriptor.
   */
  private static void addressed(
      long call, String callName, Fd socket, Fd directory, String name, Path shown)
      throws KernelException {
    byte[] path =
        ("/proc/self/fd/" + directory.number() + "/" + name).getBytes(StandardCharsets.UTF_8);
    if (path.length >= SUN_PATH_BYTES) {
      throw new IllegalArgumentException("socket name too long: " + name);
    }
    ByteBuffer address = ByteBuffer.allocateDirect(2 + SUN_PATH_BYTES);
    address.order(ByteOrder.nativeOrder()).putShort(0, (short) AF_UNIX).put(2, path);
    long result = Kernel.call(call, socket.number(), Kernel.address(address), 2 + path.length + 1);
    Reference.reachabilityFence(address);
    Kernel.check(result, callName, shown.resolve(name).toString());
  }

  /**
   * Sets how many bytes of a sender may wait in a socket; the kernel doubles the value and caps it.
   */
  public static void sendBuffer(Fd socket, int bytes) throws KernelException {
    ByteBuffer value = Kernel.scratch();
    value.putInt(0, bytes);
    long result =
        Kernel.call(
            SETSOCKOPT, socket.number(), SOL_SOCKET, SO_SNDBUF, Kernel.address(value), 4, 0);
    Reference.reachabilityFence(value);
    Kernel.check(result, "setsockopt", "SO_SNDBUF=" + bytes);
  }

  /** Whether a socket is one of streams, datagrams or packets: SO_TYPE of socket(7). */
  public static int type(Fd socket) throws KernelException {
    ByteBuffer value = Kernel.scratch();
    value.putInt(0, 0).putInt(8, Integer.BYTES);
    long address = Kernel.address(value);
    long result =
        Kernel.call(GETSOCKOPT, socket.number(), SOL_SOCKET, SO_TYPE, address, address + 8, 0);
    Reference.reachabilityFence(value);
    Kernel.check(result, "getsockopt", "SO_TYPE");
    return value.getInt(0);
  }

  /**
   * Receives without waiting, from the buffer's start.
   *
   * @return bytes received, 0 at the end of the stream, {@link #WOULD_BLOCK}
   */
  public static int receive(Fd socket, ByteBuffer into) throws KernelException {
    long result =
        Kernel.call(
            RECVFROM, socket.number(), Kernel.address(into), into.capacity(), MSG_DONTWAIT, 0, 0);
    Reference.reachabilityFence(into);
    return result == -Errno.EAGAIN
        ? WOULD_BLOCK
        : (int) Kernel.check(result, "recvfrom", "descriptor " + socket.number());
  }

  /**
   * Reads into the buffer at its position, which advances.
   *
   * @return bytes read, 0 at the end of the stream, {@link #WOULD_BLOCK}
   */
  public static int read(Fd fd, ByteBuffer into) throws KernelException {
    long result =
        Kernel.call(READ, fd.number(), Kernel.address(into) + into.position(), into.remaining());
    Reference.reachabilityFence(into);
    if (result == -Errno.EAGAIN) {
      return WOULD_BLOCK;
    }
    Kernel.check(result, "read", "descriptor " + fd.number());
    into.position(into.position() + (int) result);
    return (int) result;
  }

  /**
   * Writes from the buffer's position, which advances; never raises SIGPIPE on a socket.
   *
   * @return bytes written, {@link #WOULD_BLOCK} if there is no room
   */
  public static int write(Fd socket, ByteBuffer from) throws KernelException {
    long result =
        Kernel.call(
            SENDTO,
            socket.number(),
            Kernel.address(from) + from.position(),
            from.remaining(),
            MSG_NOSIGNAL,
            0,
            0);
    Reference.reachabilityFence(from);
    if (result == -Errno.EAGAIN) {
      return WOULD_BLOCK;
    }
    Kernel.check(result, "sendto", "descriptor " + socket.number());
    from.position(from.position() + (int) result);
    return (int) result;
  }

  /**
   * Waits for one descriptor.
   *
   * @param events {@link #POLLIN}, {@link #POLLOUT}
   * @param timeoutMillis at least 0
   * @return whether something happened, an error or hang-up included
   */
  public static boolean poll(Fd fd, short events, int timeoutMillis, ByteBuffer scratch)
      throws KernelException {
    scratch.order(ByteOrder.nativeOrder()).putInt(0, fd.number()).putShort(4, events);
    scratch.putShort(6, (short) 0);
    long result = Kernel.call(POLL, Kernel.address(scratch), 1, timeoutMillis);
    Reference.reachabilityFence(scratch);
    return Kernel.check(result, "poll", "descriptor " + fd.number()) > 0;
  }

  /** Whether a stream's other end has been closed, so that nothing can travel on it any more. */
  public static boolean hungUp(Fd fd) throws KernelException {
    ByteBuffer scratch = ByteBuffer.allocateDirect(8);
    return poll(fd, (short) 0, 0, scratch) && (scratch.getShort(6) & POLLHUP) != 0;
  }

  /** Writes all of a small heap buffer to an eventfd or pipe. */
  static void writeAll(Fd fd, byte[] bytes) throws KernelException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).put(bytes);
    long result = Kernel.call(WRITE, fd.number(), Kernel.address(buffer), bytes.length);
    Reference.reachabilityFence(buffer);
    Kernel.check(result, "write", "descriptor " + fd.number());
  }
}
