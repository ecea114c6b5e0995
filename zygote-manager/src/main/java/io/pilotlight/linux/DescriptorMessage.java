package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.SENDMSG;
import static io.pilotlight.linux.Uapi.SCM_RIGHTS;
import static io.pilotlight.linux.Uapi.SOL_SOCKET;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A message of fixed size that takes descriptors along (SCM_RIGHTS, see unix(7)); made once and
 * sent many times, so that sending allocates nothing. Not thread-safe.
 */
public final class DescriptorMessage {
  private static final int MSG_NOSIGNAL_DONTWAIT = 0x4000 | 0x40;

  /** struct msghdr, struct iovec, and the header of struct cmsghdr. */
  private static final int MSGHDR = 56;

  private static final int IOVEC = 16;
  private static final int CMSG_HEADER = 16;
  private static final int CONTROL = MSGHDR + IOVEC;

  private final ByteBuffer header;
  private final ByteBuffer payload;
  private final int descriptors;

  /** For so many bytes and so many descriptors, at most {@link Sockets#MAX_FDS}. */
  public DescriptorMessage(int bytes, int descriptors) {
    int controlBytes = CMSG_HEADER + (4 * descriptors + 7) / 8 * 8;
    this.descriptors = descriptors;
    header = ByteBuffer.allocateDirect(CONTROL + controlBytes).order(ByteOrder.nativeOrder());
    payload = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    long address = Kernel.address(header);
    header.putLong(16, address + MSGHDR).putLong(24, 1);
    header.putLong(32, address + CONTROL).putLong(40, controlBytes);
    header.putLong(MSGHDR, Kernel.address(payload)).putLong(MSGHDR + 8, bytes);
    header.putLong(CONTROL, CMSG_HEADER + 4L * descriptors);
    header.putInt(CONTROL + 8, SOL_SOCKET).putInt(CONTROL + 12, SCM_RIGHTS);
  }

  /** Its bytes, in native order; to be filled by absolute position. */
  public ByteBuffer payload() {
    return payload;
  }

  /**
   * Sends it without waiting.
   *
   * @throws KernelException EAGAIN if the socket takes no more now
   */
  public void send(Fd socket, Fd... taken) throws KernelException {
    if (taken.length != descriptors) {
      throw new IllegalArgumentException(taken.length + " descriptors, not " + descriptors);
    }
    for (int i = 0; i < taken.length; i++) {
      header.putInt(CONTROL + CMSG_HEADER + 4 * i, taken[i].number());
    }
    long result =
        Kernel.call(SENDMSG, socket.number(), Kernel.address(header), MSG_NOSIGNAL_DONTWAIT);
    Reference.reachabilityFence(this);
    Kernel.check(result, "sendmsg", payload.capacity() + " bytes");
  }
}
