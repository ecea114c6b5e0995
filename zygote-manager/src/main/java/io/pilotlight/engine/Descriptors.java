package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;

import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.Text;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Goes through the descriptors of a frozen process and says what its clones do about each.
 *
 * <p>A fork shares open file descriptions: two clones that read one jar through an inherited
 * descriptor race on its offset. So every regular file is opened again in the clone, under the same
 * number, at the same offset. Devices without state are inherited. Whatever connects the process
 * with something else is refused by name.
 */
final class Descriptors {
  private static final int OPEN = 2;
  private static final int CLOSE = 3;
  private static final int LSEEK = 8;
  private static final int DUP3 = 292;
  private static final int O_CREAT_EXCL_TRUNC = 0100 | 0200 | 01000;
  private static final int O_CLOEXEC = 02000000;
  private static final Set<String> STATELESS_DEVICES =
      Set.of("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom");

  private final int pid;
  private final Set<Integer> own;
  private final SocketTable sockets;
  private final KernelObjects objects;
  private final List<Operation> operations = new ArrayList<>();
  private final List<String> obstacles = new ArrayList<>();

  private Descriptors(int pid, Set<Integer> own) {
    this.pid = pid;
    this.own = own;
    this.sockets = new SocketTable(pid);
    this.objects = new KernelObjects(pid);
  }

  /**
   * What was found: operations for every clone, and one sentence for each descriptor that cannot be
   * cloned.
   */
  record Plan(List<Operation> operations, List<String> obstacles) {}

  /**
   * Makes the plan.
   *
   * @param own descriptors that the engine deals with itself
   */
  static Plan plan(int pid, Set<Integer> own) throws IOException {
    Descriptors descriptors = new Descriptors(pid, own);
    for (int number : ProcFs.descriptors(pid)) {
      if (!descriptors.own.contains(number)) {
        descriptors.add(number);
      }
    }
    List<Operation> operations = new ArrayList<>(descriptors.operations);
    operations.addAll(
        descriptors.objects.operations((what, number) -> descriptors.refuse(number, what)));
    return new Plan(operations, descriptors.obstacles);
  }

  private void add(int number) throws IOException {
    String target = ProcFs.descriptorTarget(pid, number);
    if (STATELESS_DEVICES.contains(target)) {
      return;
    }
    if (target.startsWith("socket:[")) {
      if (!isDeadEnd(number)) {
        String inode = target.substring("socket:[".length(), target.length() - 1);
        refuse(number, sockets.describe(inode));
      }
    } else if (target.startsWith("/")) {
      addFile(number, target);
    } else if (!objects.add(number, target)) {
      refuse(number, "is " + target + ", which clones would share");
    }
  }

  /**
   * A socket whose other end is closed carries nothing, and may be shared. The JDK keeps one, to
   * put it in the place of a descriptor that is being closed while other threads use it: see
   * libnio's FileDispatcherImpl.c, preCloseFD.
   */
  private boolean isDeadEnd(int number) throws IOException {
    try (Fd socket = Processes.takeDescriptor(pid, number)) {
      return Sockets.hungUp(socket);
    }
  }

  private void addFile(int number, String target) throws IOException {
    Path open = Path.of("/proc/" + pid + "/fd/" + number);
    Path named = Path.of(target);
    if (!Files.isRegularFile(open) && !Files.isDirectory(open)) {
      refuse(number, "is the special file " + target);
    } else if (!Files.exists(named) || !Files.isSameFile(open, named)) {
      refuse(
          number,
          "is the file " + target + ", which has been removed or replaced since it was opened");
    } else {
      reopen(number, target);
    }
  }

  private void reopen(int number, String target) throws IOException {
    long position = Long.parseLong(ProcFs.descriptorInfo(pid, number, "pos"));
    int flags = Integer.parseInt(ProcFs.descriptorInfo(pid, number, "flags"), 8);
    String detail = "descriptor " + number + ", " + target;
    operations.add(
        Operation.of(
                "open",
                detail,
                OPEN,
                new Text(target),
                value((flags | O_CLOEXEC) & ~O_CREAT_EXCL_TRUNC),
                value(0))
            .keepingResult());
    operations.add(
        Operation.of("dup3", detail, DUP3, new Kept(), value(number), value(flags & O_CLOEXEC)));
    operations.add(Operation.of("close", detail, CLOSE, new Kept()));
    if (position != 0) {
      operations.add(
          Operation.of("lseek", detail, LSEEK, value(number), value(position), value(0)));
    }
  }

  private void refuse(int number, String what) {
    obstacles.add(
        "Descriptor "
            + number
            + " "
            + what
            + ". Close it before the function is frozen: in the function's initialisation, or lazily open it in the"
            + " first call.");
  }
}
