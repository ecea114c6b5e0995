package io.pilotlight.it.functions;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A function that has something open before it is frozen: the variable HOLDS says what, the
 * variable AT where. A call uses it and tells what came of that.
 */
public final class Holding implements Function<String, String> {
  private final Use use;

  /** What a call does. */
  private interface Use {
    String with(String input) throws Exception;
  }

  /** Opens it. */
  public Holding() throws Exception {
    String at = System.getenv("AT");
    use =
        switch (System.getenv("HOLDS")) {
          case "file" -> file(at);
          case "own-file" -> ownFile(at);
          case "removed" -> removed(at);
          case "listener" -> listener();
          case "connection" -> connection(Integer.parseInt(at));
          case "unix" -> unix(at);
          case "datagrams" -> datagrams(Integer.parseInt(at));
          case "mapping" -> mapping(at);
          case "watch" -> watch(at);
          case "pipe" -> pipe(at);
          default -> new Raw().hold(System.getenv("HOLDS"));
        };
  }

  @Override
  public String apply(String input) {
    try {
      return use.with(input);
    } catch (Exception e) {
      throw new IllegalStateException(e.toString(), e);
    }
  }

  private static Use file(String path) throws IOException {
    RandomAccessFile file = new RandomAccessFile(path, "r");
    file.readLine();
    return input -> file.readLine();
  }

  private static Use ownFile(String path) throws IOException {
    Files.writeString(Path.of(path), "first\nown\n");
    return file(path);
  }

  private static Use removed(String path) throws IOException {
    Use use = file(path);
    Files.delete(Path.of(path));
    return use;
  }

  private static Use listener() throws IOException {
    ServerSocket listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    return input -> {
      try (Socket client = new Socket(listener.getInetAddress(), listener.getLocalPort());
          Socket served = listener.accept()) {
        return served.getPort() == client.getLocalPort() ? "accepted" : "another's";
      }
    };
  }

  private static Use connection(int port) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    return input -> Integer.toString(socket.getInputStream().read());
  }

  private static Use unix(String path) throws IOException {
    SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
    return input -> Integer.toString(channel.read(ByteBuffer.allocate(1)));
  }

  private static Use datagrams(int port) throws IOException {
    DatagramSocket socket = new DatagramSocket();
    return input -> {
      byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
      socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
      return "sent";
    };
  }

  private static Use mapping(String path) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            Path.of(path),
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      MappedByteBuffer buffer = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4096);
      return input -> Byte.toString(buffer.get(0));
    }
  }

  private static Use watch(String directory) throws IOException {
    WatchService service = FileSystems.getDefault().newWatchService();
    Path.of(directory).register(service, StandardWatchEventKinds.ENTRY_CREATE);
    return input -> String.valueOf(service.poll(1, TimeUnit.MILLISECONDS));
  }

  private static Use pipe(String path) throws IOException {
    // For reading and writing, so that no other process needs to open it.
    RandomAccessFile file = new RandomAccessFile(path, "rw");
    return input -> {
      file.write(input.getBytes(StandardCharsets.UTF_8));
      byte[] read = new byte[input.length()];
      file.readFully(read);
      return new String(read, StandardCharsets.UTF_8);
    };
  }

  /** What no class of the JDK opens. */
  private static final class Raw {
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int SOCKETPAIR = 53;
    private static final int TIMERFD_CREATE = 283;
    private static final int TIMERFD_SETTIME = 286;
    private static final int SIGNALFD4 = 289;
    private static final int EVENTFD2 = 290;
    private static final int IO_URING_SETUP = 425;
    private static final int IO_URING_PARAMETERS_BYTES = 120;

    private static long call(long number, Object a, Object b, Object c, Object d) {
      com.sun.jna.Function function = com.sun.jna.Function.getFunction("c", "syscall");
      long result = function.invokeLong(new Object[] {new NativeLong(number), a, b, c, d, 0L});
      if (result < 0) {
        throw new IllegalStateException("call " + number + ": errno " + Native.getLastError());
      }
      return result;
    }

    Use hold(String what) {
      Memory memory = new Memory(256);
      memory.clear();
      switch (what) {
        case "timerfd" -> {
          long timer = call(TIMERFD_CREATE, 1L, 0L, 0L, 0L);
          // Every millisecond, from one millisecond on.
          memory.setLong(8, 1_000_000);
          memory.setLong(24, 1_000_000);
          call(TIMERFD_SETTIME, timer, 0L, memory, 0L);
          return input -> call(READ, timer, memory, 8L, 0L) + " " + (memory.getLong(0) > 0);
        }
        case "eventfd" -> {
          long events = call(EVENTFD2, 7L, 0L, 0L, 0L);
          return input -> call(READ, events, memory, 8L, 0L) + " " + memory.getLong(0);
        }
        case "socketpair" -> {
          call(SOCKETPAIR, 1L, 5L, 0L, memory);
          long first = memory.getInt(0);
          long second = memory.getInt(4);
          memory.setString(8, "waits");
          call(WRITE, first, memory.share(8), 5L, 0L);
          return input -> {
            long read = call(READ, second, memory.share(64), 64L, 0L);
            String waited = new String(memory.getByteArray(64, (int) read), StandardCharsets.UTF_8);
            memory.setString(128, input);
            call(WRITE, second, memory.share(128), (long) input.length(), 0L);
            read = call(READ, first, memory.share(64), 64L, 0L);
            return waited
                + " "
                + new String(memory.getByteArray(64, (int) read), StandardCharsets.UTF_8);
          };
        }
        case "signalfd" -> {
          long signals = call(SIGNALFD4, -1L, memory, 8L, 0L);
          return input -> Long.toString(signals);
        }
        case "io_uring" -> {
          Memory parameters = new Memory(IO_URING_PARAMETERS_BYTES);
          parameters.clear();
          long ring = call(IO_URING_SETUP, 4L, parameters, 0L, 0L);
          return input -> Long.toString(ring);
        }
        default -> throw new UncheckedIOException(new IOException(what));
      }
    }
  }
}
