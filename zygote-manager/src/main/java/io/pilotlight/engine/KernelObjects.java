package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.DUP3;
import static io.pilotlight.linux.Syscall.EPOLL_CREATE1;
import static io.pilotlight.linux.Syscall.EPOLL_CTL;
import static io.pilotlight.linux.Syscall.EVENTFD2;
import static io.pilotlight.linux.Syscall.FCNTL;
import static io.pilotlight.linux.Syscall.PIPE2;
import static io.pilotlight.linux.Syscall.SOCKETPAIR;
import static io.pilotlight.linux.Syscall.TIMERFD_CREATE;
import static io.pilotlight.linux.Syscall.TIMERFD_SETTIME;
import static io.pilotlight.linux.Syscall.WRITE;
import static io.pilotlight.linux.Uapi.AF_UNIX;
import static io.pilotlight.linux.Uapi.F_SETFL;
import static io.pilotlight.linux.Uapi.O_CLOEXEC;
import static io.pilotlight.linux.Uapi.O_NONBLOCK;
import static io.pilotlight.linux.Uapi.O_WRONLY;

import io.pilotlight.descriptor.OpenDescriptor;
import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.KeptPair;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a clone's own epoll instances, event and timer descriptors, pipes and pairs of sockets,
 * under the numbers of its zygote's: with inherited ones the events of one clone would reach
 * another. What they hold is read from /proc/PID/fdinfo, see proc(5); with that selectors and
 * pollers work in all clones of a zygote at once.
 */
final class KernelObjects {
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EFD_SEMAPHORE = 1;
  private static final int ACCESS_MODE = 3;

  /** A pipe's default capacity; more than that cannot wait in one that was not enlarged. */
  private static final int PIPE_BYTES = 65_536;

  private static final Pattern REGISTRATION =
      Pattern.compile("tfd:\\s+(\\d+) events:\\s+([0-9a-f]+) data:\\s+([0-9a-f]+) .*");

  private static final Pattern TIME = Pattern.compile("\\((\\d+), (\\d+)\\)");

  private final int pid;
  private final List<Operation> operations = new ArrayList<>();
  private final List<Operation> registrations = new ArrayList<>();

  /** The ends of each pipe, by what the kernel shows it as. */
  private final Map<String, Pipe> pipes = new TreeMap<>();

  /** The descriptors of each end of a pair of sockets, by its inode. */
  private final Map<Long, SocketEnd> sockets = new TreeMap<>();

  /**
   * A pipe.
   *
   * @param ends the process's descriptors of it
   * @param shareable whether clones may share one of which the process has one end only
   */
  private record Pipe(List<OpenDescriptor> ends, boolean shareable) {}

  private record SocketEnd(long peer, List<Integer> numbers) {}

  KernelObjects(int pid) {
    this.pid = pid;
  }

  /**
   * Takes a descriptor on.
   *
   * @param target what the kernel shows it as
   * @return false if it is of no kind that can be made anew
   */
  boolean add(int number, String target) throws IOException {
    switch (target) {
      case "anon_inode:[eventfd]" -> addEvent(number);
      case "anon_inode:[timerfd]" -> addTimer(number);
      case "anon_inode:[eventpoll]" -> addEpoll(number);
      default -> {
        return false;
      }
    }
    return true;
  }

  /**
   * Takes an end of a pipe on.
   *
   * @param shareable whether clones may share it if the process has one end only
   */
  void addPipe(OpenDescriptor end, boolean shareable) {
    pipes
        .computeIfAbsent(end.target(), target -> new Pipe(new ArrayList<>(), shareable))
        .ends()
        .add(end);
  }

  /** Takes on one of two Unix sockets that are connected to each other, both of the process. */
  void addSocket(int number, long inode, long peer) {
    sockets
        .computeIfAbsent(inode, end -> new SocketEnd(peer, new ArrayList<>()))
        .numbers()
        .add(number);
  }

  private int flags(int number) throws IOException {
    return Integer.parseInt(ProcFs.descriptorInfo(pid, number, "flags"), 8);
  }

  private void addEvent(int number) throws IOException {
    long count = Long.parseUnsignedLong(ProcFs.descriptorInfo(pid, number, "eventfd-count"), 16);
    boolean semaphore =
        ProcFs.descriptorInfo(pid, number).stream()
            .anyMatch(line -> line.matches("eventfd-semaphore:\\s*1"));
    int flags = (flags(number) & O_NONBLOCK) | (semaphore ? EFD_SEMAPHORE : 0);
    make(
        number,
        Operation.of("eventfd2", "descriptor " + number, EVENTFD2, value(count), value(flags)));
  }

  private void addTimer(int number) throws IOException {
    int clock = Integer.parseInt(ProcFs.descriptorInfo(pid, number, "clockid"));
    boolean expired = !ProcFs.descriptorInfo(pid, number, "ticks").equals("0");
    long[] next = time(ProcFs.descriptorInfo(pid, number, "it_value"));
    long[] interval = time(ProcFs.descriptorInfo(pid, number, "it_interval"));
    int flags = flags(number) & O_NONBLOCK;
    make(
        number,
        Operation.of(
            "timerfd_create", "descriptor " + number, TIMERFD_CREATE, value(clock), value(flags)));
    ByteBuffer setting = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
    setting.putLong(interval[0]).putLong(interval[1]).putLong(expired ? 0 : next[0]);
    setting.putLong(expired ? 1 : next[1]);
    operations.add(
        Operation.of(
            "timerfd_settime",
            "descriptor " + number,
            TIMERFD_SETTIME,
            value(number),
            value(0),
            new Bytes(setting.array()),
            value(0)));
  }

  private static long[] time(String text) throws IOException {
    Matcher matcher = TIME.matcher(text);
    if (!matcher.find()) {
      throw new IOException("'" + text + "' is no time of a timer descriptor");
    }
    return new long[] {Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2))};
  }

  /** Registrations come last, when all that can be registered has been made. */
  private void addEpoll(int number) throws IOException {
    make(number, Operation.of("epoll_create1", "descriptor " + number, EPOLL_CREATE1, value(0)));
    for (String line : ProcFs.descriptorInfo(pid, number)) {
      Matcher matcher = REGISTRATION.matcher(line);
      if (matcher.matches()) {
        int registered = Integer.parseInt(matcher.group(1));
        ByteBuffer event = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
        event.putInt(Integer.parseUnsignedInt(matcher.group(2), 16));
        event.putLong(Long.parseUnsignedLong(matcher.group(3), 16));
        registrations.add(
            Operation.of(
                "epoll_ctl",
                "descriptor " + registered + " at " + number,
                EPOLL_CTL,
                value(number),
                value(EPOLL_CTL_ADD),
                value(registered),
                new Bytes(event.array())));
      }
    }
  }

  /** A new object gets the lowest free number; it is put in the old one's place. */
  private void make(int number, Operation operation) throws IOException {
    operations.add(operation.keepingResult());
    place(number, new Kept());
    operations.add(Operation.of("close", "spare of " + number, CLOSE, new Kept()));
  }

  private void place(int number, Kept made) throws IOException {
    operations.add(
        Operation.of(
            "dup3",
            "descriptor " + number,
            DUP3,
            made,
            value(number),
            value(flags(number) & O_CLOEXEC)));
  }

  /** Is told of each end of a pipe or pair of which the process has one end only. */
  interface HalfRefusal {
    /**
     * Refuses it.
     *
     * @param missing the end that another process has: reading, writing, other
     */
    void refuse(OpenDescriptor end, String missing);
  }

  /**
   * Finishes.
   *
   * @return what a clone has to do, in order
   */
  List<Operation> operations(HalfRefusal refusal) throws IOException {
    for (Pipe pipe : pipes.values()) {
      addPipe(pipe, refusal);
    }
    for (Map.Entry<Long, SocketEnd> end : sockets.entrySet()) {
      SocketEnd peer = sockets.get(end.getValue().peer());
      // Each pair is found twice.
      if (peer != null && end.getKey() < end.getValue().peer()) {
        addSocketPair(end.getValue().numbers(), peer.numbers());
      }
    }
    List<Operation> all = new ArrayList<>(operations);
    all.addAll(registrations);
    return all;
  }

  private void addPipe(Pipe pipe, HalfRefusal refusal) throws IOException {
    List<Integer> readers = new ArrayList<>();
    List<Integer> writers = new ArrayList<>();
    for (OpenDescriptor end : pipe.ends()) {
      int number = end.number();
      ((flags(number) & ACCESS_MODE) == O_WRONLY ? writers : readers).add(number);
    }
    if (readers.isEmpty() || writers.isEmpty()) {
      String missing = readers.isEmpty() ? "reading" : "writing";
      if (!pipe.shareable()) {
        pipe.ends().forEach(end -> refusal.refuse(end, missing));
      }
      return;
    }
    addPipe(readers, writers);
  }

  private void addPipe(List<Integer> readers, List<Integer> writers) throws IOException {
    String detail = "descriptors " + readers + " and " + writers;
    operations.add(Operation.of("pipe2", detail, PIPE2, new KeptPair(), value(0)));
    placeEnd(readers, new Kept(0));
    placeEnd(writers, new Kept(1));
    operations.add(Operation.of("close", "spare of " + detail, CLOSE, new Kept(0)));
    operations.add(Operation.of("close", "spare of " + detail, CLOSE, new Kept(1)));
    // Opened anew, since a container may not be allowed to duplicate it.
    Path reader = Path.of("/proc/" + pid + "/fd/" + readers.get(0));
    try (Fd end = OpenFile.readOnlyNonblocking(reader)) {
      refill(end, writers.get(0), detail);
    }
  }

  private void addSocketPair(List<Integer> first, List<Integer> second) throws IOException {
    String detail = "descriptors " + first + " and " + second;
    try (Fd one = Processes.takeDescriptor(pid, first.get(0));
        Fd other = Processes.takeDescriptor(pid, second.get(0))) {
      operations.add(
          Operation.of(
              "socketpair",
              detail,
              SOCKETPAIR,
              value(AF_UNIX),
              value(Sockets.type(one)),
              value(0),
              new KeptPair()));
      placeEnd(first, new Kept(0));
      placeEnd(second, new Kept(1));
      operations.add(Operation.of("close", "spare of " + detail, CLOSE, new Kept(0)));
      operations.add(Operation.of("close", "spare of " + detail, CLOSE, new Kept(1)));
      refill(one, second.get(0), detail);
      refill(other, first.get(0), detail);
    }
  }

  /**
   * What waits to be read is taken out: the zygote itself never runs again, and each clone gets a
   * copy, message by message.
   */
  private void refill(Fd end, int writer, String detail) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(PIPE_BYTES);
    while (Sockets.poll(end, Sockets.POLLIN, 0, ByteBuffer.allocateDirect(8))
        && Sockets.read(end, bytes.clear()) > 0) {
      byte[] copy = new byte[bytes.flip().remaining()];
      bytes.get(copy);
      operations.add(
          Operation.of("write", detail, WRITE, value(writer), new Bytes(copy), value(copy.length)));
    }
  }

  /** Each end waits or does not, whatever the other one does. */
  private void placeEnd(List<Integer> numbers, Kept made) throws IOException {
    for (int number : numbers) {
      place(number, made);
    }
    int nonblocking = flags(numbers.get(0)) & O_NONBLOCK;
    if (nonblocking != 0) {
      operations.add(
          Operation.of(
              "fcntl",
              "descriptor " + numbers.get(0),
              FCNTL,
              value(numbers.get(0)),
              value(F_SETFL),
              value(nonblocking)));
    }
  }
}
