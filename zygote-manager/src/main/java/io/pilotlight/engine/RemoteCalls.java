package io.pilotlight.engine;

import static io.pilotlight.linux.Syscall.MMAP;
import static io.pilotlight.linux.Uapi.MAP_PRIVATE_ANONYMOUS;
import static io.pilotlight.linux.Uapi.PROT_READ_WRITE;

import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Makes operations one by one in a frozen process of one thread, so that the one that fails is
 * known by its name. Not thread-safe.
 */
final class RemoteCalls {

  private final FrozenProcess process;
  private final ThreadState thread;
  private final long scratch;
  private final int scratchBytes;
  private long kept;

  private RemoteCalls(FrozenProcess process, long scratch, int scratchBytes) {
    this.process = process;
    this.thread = process.threads().get(0);
    this.scratch = scratch;
    this.scratchBytes = scratchBytes;
  }

  /** Maps memory for arguments into the process. */
  static RemoteCalls in(FrozenProcess process, int scratchBytes) throws IOException {
    ThreadState thread = process.threads().get(0);
    long scratch =
        process.call(
            thread,
            "mmap",
            scratchBytes + " bytes",
            MMAP,
            0,
            scratchBytes,
            PROT_READ_WRITE,
            MAP_PRIVATE_ANONYMOUS,
            -1,
            0);
    return new RemoteCalls(process, scratch, scratchBytes);
  }

  /** The same for a process that was forked from this one. */
  RemoteCalls of(FrozenProcess child) {
    return new RemoteCalls(child, scratch, scratchBytes);
  }

  /** Where arguments lie, until the next call. */
  long scratch() {
    return scratch;
  }

  /** Makes them in turn; the first that fails, and whose failure matters, is the last. */
  void perform(List<Operation> operations) throws IOException {
    for (Operation operation : operations) {
      perform(operation);
    }
  }

  /** Makes one. */
  void perform(Operation operation) throws IOException {
    ByteBuffer image = ByteBuffer.allocateDirect(scratchBytes).order(ByteOrder.nativeOrder());
    Operation.Writer writer = new Operation.Writer(image, scratch, Operation.BYTES);
    writer.write(operation, 0);
    process.memory().write(scratch, image.limit(writer.end()));
    long[] arguments = new long[operation.arguments().size()];
    for (int i = 0; i < arguments.length; i++) {
      boolean isKept = operation.arguments().get(i) instanceof Operation.Kept;
      arguments[i] = isKept ? kept : Operation.Writer.argument(image, i);
    }
    if (operation.ignoreErrors()) {
      process.syscall(thread, operation.number(), arguments);
      return;
    }
    long result =
        process.call(thread, operation.name(), operation.detail(), operation.number(), arguments);
    kept = operation.keepsResult() ? result : kept;
  }
}
