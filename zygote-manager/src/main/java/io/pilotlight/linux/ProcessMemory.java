package io.pilotlight.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Another process's memory; see process_vm_readv(2). */
public final class ProcessMemory {
  private static final long READV = 310;
  private static final long WRITEV = 311;
  private final int pid;

  /** Of the process {@code pid}, which this process must be allowed to trace. */
  public ProcessMemory(int pid) {
    this.pid = pid;
  }

  /** Fills a direct buffer from its start to its limit. */
  public void read(long address, ByteBuffer into) throws KernelException {
    transfer(READV, "process_vm_readv", address, into, into.limit());
  }

  /** Reads {@code bytes} bytes in native order. */
  public ByteBuffer read(long address, int bytes) throws KernelException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    read(address, buffer);
    return buffer;
  }

  /** Writes a direct buffer, from its start to its limit, into memory that is writable there. */
  public void write(long address, ByteBuffer from) throws KernelException {
    transfer(WRITEV, "process_vm_writev", address, from, from.limit());
  }

  private void transfer(long call, String name, long address, ByteBuffer buffer, int bytes)
      throws KernelException {
    ByteBuffer vectors = ByteBuffer.allocateDirect(32).order(ByteOrder.nativeOrder());
    vectors.putLong(0, Kernel.address(buffer)).putLong(8, bytes);
    vectors.putLong(16, address).putLong(24, bytes);
    long at = Kernel.address(vectors);
    String detail = "pid " + pid + ", " + bytes + " bytes at 0x" + Long.toHexString(address);
    long done = Kernel.check(Kernel.call(call, pid, at, 1, at + 16, 1, 0), name, detail);
    Reference.reachabilityFence(vectors);
    Reference.reachabilityFence(buffer);
    if (done != bytes) {
      throw new KernelException(name, detail + ", of which " + done + " could be moved", 14);
    }
  }
}
