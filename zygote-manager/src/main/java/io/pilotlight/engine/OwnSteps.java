package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.CAPSET;
import static io.pilotlight.linux.Syscall.CLOSE;
import static io.pilotlight.linux.Syscall.IOCTL;
import static io.pilotlight.linux.Syscall.OPEN;
import static io.pilotlight.linux.Syscall.PRCTL;
import static io.pilotlight.linux.Syscall.SECCOMP;
import static io.pilotlight.linux.Syscall.SOCKET;
import static io.pilotlight.linux.Syscall.WRITE;
import static io.pilotlight.linux.Uapi.CLONE_NEWNS;

import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Kept;
import io.pilotlight.engine.Operation.Structure;
import io.pilotlight.engine.Operation.Text;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What a process does to confine itself once it is in its namespaces, as system calls: the JVM of a
 * zygote before its program is started, and each clone while it has one thread.
 *
 * <p>A clone has every capability over the user namespace that it was made with, and over nothing
 * else. All but one are given up before its threads are made; CAP_CHECKPOINT_RESTORE lets the
 * leader choose their ids, and is given up by each thread as the first thing it does. See
 * user_namespaces(7), capabilities(7), clone(2).
 */
final class OwnSteps {
  private static final int O_WRONLY_CLOEXEC = 02000001;
  private static final int AF_INET = 2;
  private static final int SOCK_DGRAM_CLOEXEC = 02000002;
  private static final int SIOCSIFFLAGS = 0x8914;
  private static final int IFF_UP = 1;
  private static final int IFREQ_BYTES = 40;
  private static final int IFREQ_FLAGS = 16;
  private static final int SECCOMP_SET_MODE_FILTER = 1;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int CAPABILITY_VERSION_3 = 0x20080522;
  private static final int CAP_CHECKPOINT_RESTORE = 40;

  private static final int CLONE_NEWUTS = 0x4000000;
  private static final int CLONE_NEWIPC = 0x8000000;
  static final int CLONE_NEWUSER = 0x10000000;
  private static final int CLONE_NEWPID = 0x20000000;
  private static final int CLONE_NEWNET = 0x40000000;

  private final Confinement confinement;
  private final List<Operation> operations = new ArrayList<>();

  private OwnSteps(Confinement confinement) {
    this.confinement = confinement;
  }

  /** The namespaces that each process of its own has, as flags of clone(2). */
  static int namespaces(Confinement confinement) {
    int flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    return confinement.ownNetwork() ? flags | CLONE_NEWNET : flags;
  }

  /** Of the JVM that becomes a zygote, or serves by itself. */
  static List<Operation> ofJvm(Confinement confinement) {
    OwnSteps steps = new OwnSteps(confinement);
    steps.operations.addAll(MountPlan.ownProc(confinement));
    steps.network();
    steps.operations.add(
        Operation.of(
            "prctl",
            "PR_SET_NO_NEW_PRIVS",
            PRCTL,
            value(PR_SET_NO_NEW_PRIVS),
            value(1),
            value(0),
            value(0),
            value(0)));
    steps.operations.add(dropCapabilities());
    if (confinement.level() == Isolation.SANDBOX) {
      steps.filter(SeccompFilter.ofZygote());
    }
    return steps.operations;
  }

  /** Of a clone, before its descriptors are its own: its files are where its zygote has them. */
  static List<Operation> ofCloneFirst(Confinement confinement) {
    OwnSteps steps = new OwnSteps(confinement);
    steps.write("/proc/self/setgroups", "deny");
    steps.write("/proc/self/uid_map", map(confinement.userId()));
    steps.write("/proc/self/gid_map", map(confinement.groupId()));
    return steps.operations;
  }

  /** Of a clone, when its descriptors are its own. */
  static List<Operation> ofCloneLast(Confinement confinement) {
    OwnSteps steps = new OwnSteps(confinement);
    steps.operations.addAll(MountPlan.ofClone(confinement));
    steps.network();
    boolean sandbox = confinement.level() == Isolation.SANDBOX;
    if (sandbox) {
      steps.write("/proc/sys/user/max_user_namespaces", "0");
    }
    steps.operations.add(capset("all but CAP_CHECKPOINT_RESTORE", 1L << CAP_CHECKPOINT_RESTORE));
    if (sandbox) {
      steps.filter(SeccompFilter.ofClone());
    }
    return steps.operations;
  }

  /** Of each thread of a clone. */
  static Operation dropCapabilities() {
    return capset("no capability", 0);
  }

  /** One id, the same inside and outside; see user_namespaces(7). */
  static String map(int id) {
    return id + " " + id + " 1";
  }

  /** The same for a process that has just got a user namespace, from outside. */
  static void mapIds(int pid, int user, int group) throws IOException {
    writeOf(pid, "setgroups", "deny");
    writeOf(pid, "uid_map", map(user));
    writeOf(pid, "gid_map", map(group));
  }

  private static void writeOf(int pid, String file, String text) throws IOException {
    Path path = Path.of("/proc/" + pid + "/" + file);
    Files.writeString(path, text, StandardCharsets.US_ASCII, StandardOpenOption.WRITE);
  }

  private void write(String file, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    operations.add(
        Operation.of("open", file, OPEN, new Text(file), value(O_WRONLY_CLOEXEC), value(0))
            .keepingResult());
    operations.add(
        Operation.of("write", file, WRITE, new Kept(), new Bytes(bytes), value(bytes.length)));
    operations.add(Operation.of("close", file, CLOSE, new Kept()));
  }

  /** A new network namespace has a loopback that is down. */
  private void network() {
    if (!confinement.ownNetwork()) {
      return;
    }
    ByteBuffer request = ByteBuffer.allocate(IFREQ_BYTES).order(ByteOrder.nativeOrder());
    request.put(0, (byte) 'l').put(1, (byte) 'o').putShort(IFREQ_FLAGS, (short) IFF_UP);
    operations.add(
        Operation.of(
                "socket", "loopback", SOCKET, value(AF_INET), value(SOCK_DGRAM_CLOEXEC), value(0))
            .keepingResult());
    operations.add(
        Operation.of(
            "ioctl",
            "loopback up",
            IOCTL,
            new Kept(),
            value(SIOCSIFFLAGS),
            new Bytes(request.array())));
    operations.add(Operation.of("close", "loopback", CLOSE, new Kept()));
  }

  private static Operation capset(String detail, long capabilities) {
    ByteBuffer header = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    header.putInt(0, CAPABILITY_VERSION_3);
    ByteBuffer sets = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
    for (int half = 0; half < 2; half++) {
      int bits = (int) (capabilities >>> (32 * half));
      sets.putInt(12 * half, bits).putInt(12 * half + 4, bits);
    }
    return Operation.of(
        "capset", detail, CAPSET, new Bytes(header.array()), new Bytes(sets.array()));
  }

  private void filter(byte[] program) {
    ByteBuffer description = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
    description.putShort(0, (short) (program.length / SeccompFilter.INSTRUCTION_BYTES));
    operations.add(
        Operation.of(
            "seccomp",
            "filter",
            SECCOMP,
            value(SECCOMP_SET_MODE_FILTER),
            value(0),
            new Structure(description.array(), 8, program)));
  }
}
