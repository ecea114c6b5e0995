package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.DUP3;
import static io.pilotlight.linux.Syscall.LSEEK;
import static io.pilotlight.linux.Syscall.OPEN;
import static io.pilotlight.linux.Uapi.O_CLOEXEC;

import io.pilotlight.descriptor.DescriptorAction;
import io.pilotlight.descriptor.DescriptorKind;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.descriptor.DescriptorRule;
import io.pilotlight.descriptor.OpenDescriptor;
import io.pilotlight.descriptor.OpenSocket;
import io.pilotlight.descriptor.OpenSocket.State;
import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.linux.Errno;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import io.pilotlight.linux.UnixPeers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Goes through the descriptors of a frozen process and says what its clones do about each.
 *
 * <p>A fork shares open file descriptions: two clones that read one jar through an inherited
 * descriptor race on its offset. So every regular file is opened again in the clone, under the same
 * number, at the same offset, and one that has no name any more is copied; what {@link
 * KernelObjects} knows is made anew. Devices without state are inherited. Whatever connects the
 * process with something else is refused by name, unless a rule of the function's owner says what
 * to do.
 */
final class Descriptors {
  private static final int O_CREAT_EXCL_TRUNC = 0100 | 0200 | 01000;
  private static final int FILE_TYPE = 0170000;
  private static final int NAMED_PIPE = 0010000;

  /** Devices that processes may share. */
  static final Set<String> STATELESS_DEVICES =
      Set.of("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom");

  private final int pid;
  private final DescriptorPolicy policy;
  private final SocketTable sockets;
  private final KernelObjects objects;
  private final NamelessFiles nameless;
  private final List<Operation> operations = new ArrayList<>();
  private final List<Closing> closings = new ArrayList<>();
  private final List<Obstacle> obstacles = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  private Descriptors(int pid, DescriptorPolicy policy) {
    this.pid = pid;
    this.policy = policy;
    this.sockets = new SocketTable(pid);
    this.objects = new KernelObjects(pid);
    this.nameless = new NamelessFiles(pid);
  }

  /**
   * What was found.
   *
   * @param operations what every clone does
   * @param closings what the zygote itself closes, so that clones inherit nothing of it
   * @param obstacles what cannot be cloned
   * @param notes one sentence for each descriptor that a rule allowed
   */
  record Plan(
      List<Operation> operations,
      List<Closing> closings,
      List<Obstacle> obstacles,
      List<String> notes) {}

  /**
   * A descriptor that is closed, but whose number stays taken.
   *
   * @param file whether it is a file, which cannot be used afterwards; else it looks as if its
   *     other end had hung up
   */
  record Closing(int number, boolean file) {}

  /**
   * Makes the plan.
   *
   * @param own descriptors that the engine deals with itself
   * @param policy the rules of the function's owner
   */
  static Plan plan(int pid, Set<Integer> own, DescriptorPolicy policy) throws IOException {
    Descriptors descriptors = new Descriptors(pid, policy);
    for (int number : ProcFs.descriptors(pid)) {
      if (!own.contains(number)) {
        descriptors.add(number);
      }
    }
    List<Operation> operations = new ArrayList<>(descriptors.operations);
    operations.addAll(descriptors.nameless.operations());
    operations.addAll(descriptors.objects.operations(descriptors::half));
    return new Plan(operations, descriptors.closings, descriptors.obstacles, descriptors.notes);
  }

  private void add(int number) throws IOException {
    OpenDescriptor open = inspect(number);
    Optional<DescriptorRule> rule = policy.ruleFor(open);
    DescriptorAction action = rule.map(DescriptorRule::action).orElse(null);
    if (action == DescriptorAction.ERROR) {
      refuse(open, open.description() + ", which the rule '" + rule.get() + "' forbids");
      return;
    }
    if (rule.isPresent() && rule.get().warn()) {
      notes.add("Descriptor " + number + " " + open.description() + "; rule: " + rule.get() + ".");
    }
    if (action == DescriptorAction.CLOSE) {
      closings.add(new Closing(number, isPlain(number)));
    } else if (action != DescriptorAction.INHERIT) {
      switch (open.kind()) {
        case FILE -> addFile(open, action);
        case SOCKET -> addSocket(open, action);
        case PIPE -> objects.addPipe(open, action == DescriptorAction.IGNORE);
        case FILEDESCRIPTOR -> addObject(open, action);
      }
    }
  }

  private OpenDescriptor inspect(int number) throws IOException {
    String target = ProcFs.descriptorTarget(pid, number);
    if (target.startsWith("socket:[")) {
      return new OpenDescriptor(number, target, sockets.find(inode(target)));
    }
    DescriptorKind kind = DescriptorKind.FILEDESCRIPTOR;
    if (target.startsWith("pipe:[")) {
      kind = DescriptorKind.PIPE;
    } else if (target.startsWith("/")) {
      kind = DescriptorKind.FILE;
    }
    return new OpenDescriptor(number, kind, target);
  }

  /** Of a socket, by the target of its link in /proc. */
  static long inode(String target) {
    return Long.parseLong(target.substring("socket:[".length(), target.length() - 1));
  }

  private void addObject(OpenDescriptor open, @Nullable DescriptorAction action)
      throws IOException {
    if (!objects.add(open.number(), open.target()) && action == null) {
      refuse(open, open.description());
    }
  }

  private void addSocket(OpenDescriptor open, @Nullable DescriptorAction action)
      throws IOException {
    int number = open.number();
    OpenSocket socket = open.socket() == null ? OpenSocket.UNKNOWN : open.socket();
    OptionalLong peer = sockets.peer(inode(open.target()));
    if (isDeadEnd(pid, number, peer)) {
      return;
    }
    boolean pair = peer.isPresent() && holds("socket:[" + peer.getAsLong() + "]");
    if (pair && action != DescriptorAction.REOPEN) {
      addSocketOfPair(open, peer.getAsLong());
    } else if (action == null) {
      refuse(open, open.description());
    } else if (action == DescriptorAction.IGNORE && socket.state() == State.CONNECTED) {
      closings.add(new Closing(number, false));
    } else if (action == DescriptorAction.REOPEN && socket.state() != State.LISTENING) {
      refuse(open, open.description() + ", which cannot be opened again");
    }
  }

  private boolean holds(String target) throws IOException {
    for (int number : ProcFs.descriptors(pid)) {
      if (ProcFs.descriptorTarget(pid, number).equals(target)) {
        return true;
      }
    }
    return false;
  }

  /** What waits in it is read by a duplicate, which not every container may have. */
  private void addSocketOfPair(OpenDescriptor open, long peer) throws IOException {
    try {
      Processes.takeDescriptor(pid, open.number()).close();
      objects.addSocket(open.number(), inode(open.target()), peer);
    } catch (KernelException e) {
      refuse(open, open.description() + ", and cannot be looked into: " + e.getMessage());
    }
  }

  /**
   * A socket whose other end is closed carries nothing, and may be shared. The JDK keeps one, to
   * put it in the place of a descriptor that is being closed while other threads use it: see
   * libnio's FileDispatcherImpl.c, preCloseFD.
   */
  static boolean isDeadEnd(int pid, int number, OptionalLong peer) throws IOException {
    if (peer.isPresent()) {
      return peer.getAsLong() == UnixPeers.HUNG_UP;
    }
    try (Fd socket = Processes.takeDescriptor(pid, number)) {
      return Sockets.hungUp(socket);
    } catch (KernelException e) {
      // Docker's default profile refuses it. The socket is then dealt with as one in use.
      if (e.errno() == Errno.EPERM || e.errno() == Errno.ENOSYS) {
        return false;
      }
      throw e;
    }
  }

  private Path link(int number) {
    return Path.of("/proc/" + pid + "/fd/" + number);
  }

  private boolean isPlain(int number) {
    return Files.isRegularFile(link(number)) || Files.isDirectory(link(number));
  }

  private void addFile(OpenDescriptor open, @Nullable DescriptorAction action) throws IOException {
    int number = open.number();
    Path named = ProcFs.seenBy(pid, Path.of(open.target()));
    boolean there = Files.exists(named) && Files.isSameFile(link(number), named);
    boolean asked = action == DescriptorAction.REOPEN;
    if (there && (isPlain(number) || (asked && !isNamedPipe(named)))) {
      reopen(number, open.target());
    } else if (action == DescriptorAction.IGNORE
        || (action == null && STATELESS_DEVICES.contains(open.target()))) {
      return;
    } else if (!there && Files.isRegularFile(link(number))) {
      nameless
          .add(open)
          .ifPresent(
              why -> refuse(open, open.description() + ", which has no name any more, " + why));
    } else if (!there) {
      refuse(open, open.description() + ", which has been removed or replaced since it was opened");
    } else {
      refuse(open, "is the special file " + open.target());
    }
  }

  private static boolean isNamedPipe(Path file) throws IOException {
    return ((Integer) Files.getAttribute(file, "unix:mode") & FILE_TYPE) == NAMED_PIPE;
  }

  private void reopen(int number, String target) throws IOException {
    long position = Long.parseLong(ProcFs.descriptorInfo(pid, number, "pos"));
    int flags = Integer.parseInt(ProcFs.descriptorInfo(pid, number, "flags"), 8);
    operations.addAll(
        opening(target, flags & ~O_CREAT_EXCL_TRUNC, number, flags & O_CLOEXEC, position));
  }

  /**
   * Opens a file and puts it under a number.
   *
   * @param flags as of open(2)
   * @param closes O_CLOEXEC, or 0
   * @param position its offset
   */
  static List<Operation> opening(String path, int flags, int number, int closes, long position) {
    String detail = "descriptor " + number + ", " + path;
    List<Operation> operations = new ArrayList<>();
    operations.add(
        Operation.of("open", detail, OPEN, new Text(path), value(flags | O_CLOEXEC), value(0))
            .keepingResult());
    operations.add(Operation.of("dup3", detail, DUP3, new Kept(), value(number), value(closes)));
    operations.add(Operation.of("close", detail, CLOSE, new Kept()));
    if (position != 0) {
      operations.add(
          Operation.of("lseek", detail, LSEEK, value(number), value(position), value(0)));
    }
    return operations;
  }

  private void half(OpenDescriptor end, String missing) {
    refuse(end, end.description() + ", of which another process has the " + missing + " end");
  }

  private void refuse(OpenDescriptor open, String what) {
    obstacles.add(
        Obstacle.descriptor(
            open.number(),
            "Descriptor " + open.number() + " " + what + ".",
            "Close it before the freeze, and open it afterwards; or allow it by a rule of --fd-policy,"
                + " like '"
                + open.allowingRule()
                + "'."));
  }
}
