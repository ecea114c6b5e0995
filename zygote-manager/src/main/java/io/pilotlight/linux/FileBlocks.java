package io.pilotlight.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.nio.file.Path;

/** How much of a disk a file takes, which Java does not show. See statx(2). */
public final class FileBlocks {
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int STATX_BLOCKS = 0x400;
  private static final int STRUCT_BYTES = 256;

  /** Of stx_blocks in struct statx. */
  private static final int BLOCKS_OFFSET = 48;

  /** Whatever the file system's own are. */
  private static final int BLOCK_BYTES = 512;

  private FileBlocks() {}

  /** The bytes that are allocated for a file: holes are not. */
  public static long allocatedBytes(Path file) throws KernelException {
    Memory path = Kernel.string(file.toString());
    Memory result = new Memory(STRUCT_BYTES);
    long error =
        Kernel.call(
            Syscall.STATX,
            AT_FDCWD,
            Pointer.nativeValue(path),
            AT_SYMLINK_NOFOLLOW,
            STATX_BLOCKS,
            Pointer.nativeValue(result),
            0);
    Reference.reachabilityFence(path);
    Kernel.check(error, "statx", file.toString());
    long blocks = result.getLong(BLOCKS_OFFSET);
    Reference.reachabilityFence(result);
    return blocks * BLOCK_BYTES;
  }
}
