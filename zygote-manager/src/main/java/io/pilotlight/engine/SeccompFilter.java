package io.pilotlight.engine;

import static io.pilotlight.linux.Syscall.CLONE;
import static io.pilotlight.linux.Syscall.MOUNT;
import static io.pilotlight.linux.Syscall.SOCKET;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The system calls of a sandbox, as programs for seccomp(2): those that a JVM has no use for, and
 * that reach parts of the kernel which namespaces do not confine, are refused with EPERM, those
 * that are newer than this list with ENOSYS, as by a kernel that does not have them. Of sockets
 * there are Unix, IPv4, IPv6 and netlink ones.
 */
final class SeccompFilter {
  /** Size of struct sock_filter. */
  static final int INSTRUCTION_BYTES = 8;

  private static final int LOAD_WORD = 0x20;
  private static final int JUMP_EQUAL = 0x15;
  private static final int JUMP_AT_LEAST = 0x35;
  private static final int JUMP_ANY_BIT = 0x45;
  private static final int RETURN = 0x06;

  private static final int NUMBER_OFFSET = 0;
  private static final int ARCHITECTURE_OFFSET = 4;
  private static final int FIRST_ARGUMENT_OFFSET = 16;
  private static final int ARCHITECTURE_X86_64 = 0xc000003e;

  private static final int KILL_PROCESS = 0x80000000;
  private static final int ERRNO = 0x00050000;
  private static final int ALLOW = 0x7fff0000;
  private static final int EPERM = 1;
  private static final int ENOSYS = 38;
  private static final int EAFNOSUPPORT = 97;

  private static final List<Integer> SOCKET_FAMILIES = List.of(1, 2, 10, 16);

  /** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET. */
  private static final int NEW_NAMESPACES = 0x7e020000;

  /** The first number after mseal(2), of Linux 6.10; x32 calls are beyond it too. */
  private static final int FIRST_UNKNOWN = 463;

  /** By name, in the order of their numbers. */
  private enum Refused {
    PTRACE(101),
    SYSLOG(103),
    USELIB(134),
    PERSONALITY(135),
    MODIFY_LDT(154),
    PIVOT_ROOT(155),
    ADJTIMEX(159),
    CHROOT(161),
    ACCT(163),
    SETTIMEOFDAY(164),
    UMOUNT2(166),
    SWAPON(167),
    SWAPOFF(168),
    REBOOT(169),
    SETHOSTNAME(170),
    SETDOMAINNAME(171),
    IOPL(172),
    IOPERM(173),
    INIT_MODULE(175),
    DELETE_MODULE(176),
    QUOTACTL(179),
    LOOKUP_DCOOKIE(212),
    CLOCK_SETTIME(227),
    KEXEC_LOAD(246),
    ADD_KEY(248),
    REQUEST_KEY(249),
    KEYCTL(250),
    MIGRATE_PAGES(256),
    UNSHARE(272),
    MOVE_PAGES(279),
    PERF_EVENT_OPEN(298),
    FANOTIFY_INIT(300),
    NAME_TO_HANDLE_AT(303),
    OPEN_BY_HANDLE_AT(304),
    CLOCK_ADJTIME(305),
    SETNS(308),
    PROCESS_VM_READV(310),
    PROCESS_VM_WRITEV(311),
    KCMP(312),
    FINIT_MODULE(313),
    KEXEC_FILE_LOAD(320),
    BPF(321),
    USERFAULTFD(323),
    IO_URING_SETUP(425),
    IO_URING_ENTER(426),
    IO_URING_REGISTER(427),
    OPEN_TREE(428),
    MOVE_MOUNT(429),
    FSOPEN(430),
    FSCONFIG(431),
    FSMOUNT(432),
    FSPICK(433),
    PIDFD_GETFD(438),
    MOUNT_SETATTR(442),
    QUOTACTL_FD(443);

    private final int number;

    Refused(int number) {
      this.number = number;
    }
  }

  private final List<long[]> instructions = new ArrayList<>();

  private SeccompFilter() {}

  /** Of a zygote, which makes the namespaces and the mounts of its clones. */
  static byte[] ofZygote() {
    SeccompFilter filter = new SeccompFilter();
    filter.architecture();
    for (Refused call : Refused.values()) {
      filter.answer(JUMP_EQUAL, call.number, ERRNO | EPERM);
    }
    filter.sockets();
    return filter.program();
  }

  /** What a clone has beyond its zygote's, which it inherits. */
  static byte[] ofClone() {
    SeccompFilter filter = new SeccompFilter();
    filter.architecture();
    filter.answer(JUMP_EQUAL, MOUNT, ERRNO | EPERM);
    filter.skipUnless(CLONE, 3);
    filter.add(LOAD_WORD, 0, 0, FIRST_ARGUMENT_OFFSET);
    filter.answer(JUMP_ANY_BIT, NEW_NAMESPACES, ERRNO | EPERM);
    return filter.program();
  }

  private void architecture() {
    add(LOAD_WORD, 0, 0, ARCHITECTURE_OFFSET);
    add(JUMP_EQUAL, 1, 0, ARCHITECTURE_X86_64);
    add(RETURN, 0, 0, KILL_PROCESS);
    add(LOAD_WORD, 0, 0, NUMBER_OFFSET);
    answer(JUMP_AT_LEAST, FIRST_UNKNOWN, ERRNO | ENOSYS);
  }

  private void sockets() {
    skipUnless(SOCKET, 2 + SOCKET_FAMILIES.size());
    add(LOAD_WORD, 0, 0, FIRST_ARGUMENT_OFFSET);
    for (int i = 0; i < SOCKET_FAMILIES.size(); i++) {
      add(JUMP_EQUAL, SOCKET_FAMILIES.size() - i, 0, SOCKET_FAMILIES.get(i));
    }
    add(RETURN, 0, 0, ERRNO | EAFNOSUPPORT);
  }

  /** Answers at once if the condition holds. */
  private void answer(int condition, int operand, int answer) {
    add(condition, 0, 1, operand);
    add(RETURN, 0, 0, answer);
  }

  private void skipUnless(int number, int count) {
    add(JUMP_EQUAL, 0, count, number);
  }

  private void add(int code, int ifTrue, int ifFalse, int operand) {
    instructions.add(new long[] {code, ifTrue, ifFalse, operand});
  }

  private byte[] program() {
    add(RETURN, 0, 0, ALLOW);
    ByteBuffer bytes = ByteBuffer.allocate(instructions.size() * INSTRUCTION_BYTES);
    bytes.order(ByteOrder.nativeOrder());
    for (long[] instruction : instructions) {
      bytes.putShort((short) instruction[0]);
      bytes.put((byte) instruction[1]).put((byte) instruction[2]).putInt((int) instruction[3]);
    }
    return bytes.array();
  }
}
