package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.RECVFROM;
import static io.pilotlight.linux.Syscall.SENDTO;
import static io.pilotlight.linux.Syscall.SOCKET;
import static io.pilotlight.linux.Uapi.AF_UNIX;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** Which Unix socket is connected to which; see sock_diag(7). Stateless and thread-safe. */
public final class UnixPeers {
  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW_CLOEXEC = 0x80003;
  private static final int NETLINK_SOCK_DIAG = 4;
  private static final short SOCK_DIAG_BY_FAMILY = 20;
  private static final short NLM_F_REQUEST = 1;
  private static final int UDIAG_SHOW_PEER = 4;
  private static final short UNIX_DIAG_PEER = 2;
  private static final short UNIX_DIAG_SHUTDOWN = 6;
  private static final int BOTH_WAYS = 3;
  private static final int NO_COOKIE = -1;

  private static final int REQUEST_BYTES = 40;
  private static final int ATTRIBUTES = 32;
  private static final int ANSWER_BYTES = 1024;

  /** Stands for a peer that is closed. */
  public static final long HUNG_UP = 0;

  private UnixPeers() {}

  /**
   * The inode of the socket at the other end.
   *
   * @return empty if the socket never had a peer, is no Unix socket, is in another network
   *     namespace, or the kernel was built without the diagnosis of Unix sockets; {@link #HUNG_UP}
   *     if the other end is closed
   */
  public static OptionalLong of(long inode) throws KernelException {
    try (Fd netlink =
        new Fd(
            Kernel.check(
                Kernel.call(SOCKET, AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG),
                "socket",
                "NETLINK_SOCK_DIAG"))) {
      ByteBuffer message = ByteBuffer.allocateDirect(ANSWER_BYTES).order(ByteOrder.nativeOrder());
      message.putInt(0, REQUEST_BYTES).putShort(4, SOCK_DIAG_BY_FAMILY).putShort(6, NLM_F_REQUEST);
      message.put(16, (byte) AF_UNIX).putInt(20, -1).putInt(24, (int) inode);
      message.putInt(28, UDIAG_SHOW_PEER).putInt(32, NO_COOKIE).putInt(36, NO_COOKIE);
      long address = Kernel.address(message);
      Kernel.check(
          Kernel.call(SENDTO, netlink.number(), address, REQUEST_BYTES, 0, 0, 0),
          "sendto",
          "NETLINK_SOCK_DIAG");
      long bytes =
          Kernel.check(
              Kernel.call(RECVFROM, netlink.number(), address, ANSWER_BYTES, 0, 0, 0),
              "recvfrom",
              "NETLINK_SOCK_DIAG");
      Reference.reachabilityFence(message);
      return message.getShort(4) == SOCK_DIAG_BY_FAMILY
          ? peer(message.limit((int) bytes))
          : OptionalLong.empty();
    }
  }

  /**
   * Attributes: length, type, and a value, each at a multiple of four bytes. A peer without an
   * inode is closed, if nothing can travel any more, or has not been accepted yet.
   */
  private static OptionalLong peer(ByteBuffer message) {
    OptionalLong peer = OptionalLong.empty();
    int shutdown = 0;
    int at = ATTRIBUTES;
    while (at + 4 < message.limit()) {
      int length = Short.toUnsignedInt(message.getShort(at));
      short type = message.getShort(at + 2);
      if (type == UNIX_DIAG_PEER) {
        peer = OptionalLong.of(Integer.toUnsignedLong(message.getInt(at + 4)));
      } else if (type == UNIX_DIAG_SHUTDOWN) {
        shutdown = message.get(at + 4);
      }
      at += Math.max(4, (length + 3) / 4 * 4);
    }
    boolean nobody = peer.isPresent() && peer.getAsLong() == HUNG_UP;
    return nobody && shutdown != BOTH_WAYS ? OptionalLong.empty() : peer;
  }
}
