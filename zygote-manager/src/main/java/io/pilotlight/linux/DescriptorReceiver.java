package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.RECVMSG;
import static io.pilotlight.linux.Uapi.SCM_RIGHTS;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Receives messages of fixed size that may bring one descriptor along (SCM_RIGHTS, see unix(7)).
 * Not thread-safe.
 */
public final class DescriptorReceiver {
  private static final int MSG_DONTWAIT_CMSG_CLOEXEC = 0x40 | 0x40000000;
  private static final int MSGHDR = 56;
  private static final int IOVEC = 16;
  private static final int CONTROL = MSGHDR + IOVEC;
  private static final int CMSG_HEADER = 16;
  private static final int CONTROL_BYTES = CMSG_HEADER + 8;

  private final ByteBuffer header =
      ByteBuffer.allocateDirect(CONTROL + CONTROL_BYTES).order(ByteOrder.nativeOrder());
  private final ByteBuffer payload;

  /** For messages of so many bytes. */
  public DescriptorReceiver(int bytes) {
    payload = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    long address = Kernel.address(header);
    header.putLong(16, address + MSGHDR).putLong(24, 1).putLong(32, address + CONTROL);
    header.putLong(MSGHDR, Kernel.address(payload)).putLong(MSGHDR + 8, bytes);
  }

  /**
   * What came.
   *
   * @param bytes 0 at the end of the stream, {@link Sockets#WOULD_BLOCK} if nothing is there
   * @param descriptor what came along, the receiver's to close; or null
   */
  public record Received(int bytes, @Nullable Fd descriptor) {}

  /** The last message's bytes, in native order; to be read by absolute position. */
  public ByteBuffer payload() {
    return payload;
  }

  /** Receives without waiting. */
  public Received receive(Fd socket) throws KernelException {
    header.putLong(40, CONTROL_BYTES);
    long result =
        Kernel.call(RECVMSG, socket.number(), Kernel.address(header), MSG_DONTWAIT_CMSG_CLOEXEC);
    Reference.reachabilityFence(this);
    if (result == -Errno.EAGAIN) {
      return new Received(Sockets.WOULD_BLOCK, null);
    }
    Kernel.check(result, "recvmsg", "descriptor " + socket.number());
    boolean brought = header.getLong(40) > CMSG_HEADER && header.getInt(CONTROL + 12) == SCM_RIGHTS;
    return new Received(
        (int) result, brought ? new Fd(header.getInt(CONTROL + CMSG_HEADER)) : null);
  }
}
