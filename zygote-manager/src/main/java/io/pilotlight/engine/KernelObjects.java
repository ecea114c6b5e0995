package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;

import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.KeptPair;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a clone's own epoll instances, event and timer descriptors and pipes, under the numbers of
 * its zygote's: with inherited ones the events of one clone would reach another. What they hold is
 * read from /proc/PID/fdinfo, see proc(5); with that selectors and pollers work in all clones of a
 * zygote at once.
 */
final class KernelObjects {
  private static final int WRITE = 1;
  private static final int CLOSE = 3;
  private static final int EPOLL_CTL = 233;
  private static final int TIMERFD_CREATE = 283;
  private static final int TIMERFD_SETTIME = 286;
  private static final int EVENTFD2 = 290;
  private static final int EPOLL_CREATE1 = 291;
  private static final int DUP3 = 292;
  private static final int PIPE2 = 293;
  private static final int FCNTL = 72;
  private static final int F_SETFL = 4;

  private static final int EPOLL_CTL_ADD = 1;
  private static final int EFD_SEMAPHORE = 1;
  private static final int ACCESS_MODE = 3;
  private static final int O_WRONLY = 1;
  private static final int O_NONBLOCK = 04000;
  private static final int O_CLOEXEC = 02000000;

  /** A pipe's default capacity; more than that cannot wait in one that was not enlarged. */
  private static final int PIPE_BYTES = 65_536;

  private static final Pattern REGISTRATION =
      Pattern.compile("tfd:\\s+(\\d+) events:\\s+([0-9a-f]+) data:\\s+([0-9a-f]+) .*");

  private static final Pattern TIME = Pattern.compile("\\((\\d+), (\\d+)\\)");

  private final int pid;
  private final List<Operation> operations = new ArrayList<>();
  private final List<Operation> registrations = new ArrayList<>();

  /** The ends of each pipe, by its inode. */
  private final Map<String, List<Integer>> pipes = new TreeMap<>();

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
    if (target.startsWith("pipe:[")) {
      pipes.computeIfAbsent(target, inode -> new ArrayList<>()).add(number);
      return true;
    }
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

  /**
   * Finishes.
   *
   * @param refuse is told each descriptor of a pipe of which this process has one end only
   * @return what a clone has to do, in order
   */
  List<Operation> operations(java.util.function.ObjIntConsumer<String> refuse) throws IOException {
    for (Map.Entry<String, List<Integer>> pipe : pipes.entrySet()) {
      addPipe(pipe.getKey(), pipe.getValue(), refuse);
    }
    List<Operation> all = new ArrayList<>(operations);
    all.addAll(registrations);
    return all;
  }

  private void addPipe(
      String target, List<Integer> ends, java.util.function.ObjIntConsumer<String> refuse)
      throws IOException {
    List<Integer> readers = new ArrayList<>();
    List<Integer> writers = new ArrayList<>();
    for (int end : ends) {
      ((flags(end) & ACCESS_MODE) == O_WRONLY ? writers : readers).add(end);
    }
    if (readers.isEmpty() || writers.isEmpty()) {
      String other = readers.isEmpty() ? "reading" : "writing";
      ends.forEach(
          end ->
              refuse.accept(
                  "is one end of "
                      + target
                      + ", of which another process has the "
                      + other
                      + " end",
                  end));
      return;
    }
    String detail = "descriptors " + ends;
    operations.add(Operation.of("pipe2", detail, PIPE2, new KeptPair(), value(0)));
    placeEnd(readers, new Kept(0));
    placeEnd(writers, new Kept(1));
    operations.add(Operation.of("close", "spare of " + detail, CLOSE, new Kept(0)));
    operations.add(Operation.of("close", "spare of " + detail, CLOSE, new Kept(1)));
    byte[] waiting = waiting(readers.get(0));
    if (waiting.length > 0) {
      operations.add(
          Operation.of(
              "write",
              detail,
              WRITE,
              value(writers.get(0)),
              new Bytes(waiting),
              value(waiting.length)));
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

  /**
   * What waits in a pipe. It is taken out: the zygote itself never runs again, and each clone gets
   * a copy.
   */
  private byte[] waiting(int reader) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(PIPE_BYTES);
    try (Fd pipe = Processes.takeDescriptor(pid, reader)) {
      while (bytes.hasRemaining()
          && Sockets.poll(pipe, Sockets.POLLIN, 0, ByteBuffer.allocateDirect(8))
          && Sockets.read(pipe, bytes) > 0) {
        // more may be there
      }
    }
    byte[] copy = new byte[bytes.flip().remaining()];
    bytes.get(copy);
    return copy;
  }
}
