package io.pilotlight.linux;

import static io.pilotlight.linux.Syscall.SCHED_GETAFFINITY;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/** Which processors a thread may run on; see sched_getaffinity(2). */
public final class Affinity {

  /** Room for 8,192 processors, the most a kernel is built for. */
  private static final int MASK_BYTES = 1024;

  private Affinity() {}

  /** The thread's mask, as long as the kernel's own. */
  public static byte[] of(int tid) throws KernelException {
    ByteBuffer mask = ByteBuffer.allocateDirect(MASK_BYTES);
    long bytes = Kernel.call(SCHED_GETAFFINITY, tid, MASK_BYTES, Kernel.address(mask));
    Reference.reachabilityFence(mask);
    byte[] copy = new byte[(int) Kernel.check(bytes, "sched_getaffinity", "thread " + tid)];
    mask.get(copy);
    return copy;
  }
}
