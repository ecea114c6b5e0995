package io.pilotlight.engine;

import io.pilotlight.linux.KernelException;
import io.pilotlight.tracee.FrozenProcess;
import io.pilotlight.tracee.Registers;
import io.pilotlight.tracee.Registers.Name;
import io.pilotlight.tracee.ThreadState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs many system calls in a thread of a frozen process with one stop for all of them: the
 * resident routine runs them from a table. Belongs to the thread that froze the process.
 */
final class OperationBatch {
  private static final int MAX_ERRNO = 4096;

  private final FrozenProcess process;
  private final ThreadState thread;
  private final long code;
  private final long table;
  private final int tableBytes;

  /**
   * For one thread.
   *
   * @param thread which makes the calls
   * @param code where the routine lies in the process
   * @param table memory of the process that may be written to, beginning at a multiple of 64
   * @param tableBytes how much there is of it
   */
  OperationBatch(FrozenProcess process, ThreadState thread, long code, long table, int tableBytes) {
    this.process = process;
    this.thread = thread;
    this.code = code;
    this.table = table;
    this.tableBytes = tableBytes;
  }

  /**
   * Runs them all, whether one fails or not, in as many rounds as the table makes necessary.
   *
   * @return the low half of what the kernel returned to each; a negated error number is negative
   */
  int[] run(List<Operation> operations) throws IOException {
    int[] results = new int[operations.size()];
    int done = 0;
    while (done < operations.size()) {
      int end = done;
      int room = tableBytes;
      while (end < operations.size() && bytes(operations.get(end)) <= room) {
        room -= bytes(operations.get(end++));
      }
      if (end == done) {
        throw new IOException(operations.get(done).detail() + " is too long for one system call");
      }
      round(operations.subList(done, end), results, done);
      done = end;
    }
    return results;
  }

  /**
   * The same.
   *
   * @throws KernelException naming the first that failed and may not; all have been run
   */
  int[] runChecked(List<Operation> operations) throws IOException {
    int[] results = run(operations);
    for (int i = 0; i < results.length; i++) {
      Operation operation = operations.get(i);
      if (results[i] < 0 && results[i] > -MAX_ERRNO && !operation.ignoreErrors()) {
        throw new KernelException(
            operation.name(), operation.detail() + ", in process " + process.pid(), -results[i]);
      }
    }
    return results;
  }

  /** Itself, its result, and what it points at. */
  private static int bytes(Operation operation) {
    return Operation.BYTES
        + Integer.BYTES
        + operation.arguments().stream().mapToInt(Operation.Argument::dataBytes).sum();
  }

  private void round(List<Operation> operations, int[] results, int from) throws IOException {
    int count = operations.size();
    int resultsAt = count * Operation.BYTES;
    ByteBuffer image = ByteBuffer.allocateDirect(tableBytes).order(ByteOrder.nativeOrder());
    List<Operation> tolerant = new ArrayList<>(count);
    operations.forEach(operation -> tolerant.add(operation.orIgnore()));
    Operation.Writer writer = new Operation.Writer(image, table, resultsAt + count * Integer.BYTES);
    writer.write(tolerant, 0);
    for (int i = 0; i < count; i++) {
      image.putLong(
          i * Operation.BYTES + Operation.STORE_OFFSET,
          table + resultsAt + (long) i * Integer.BYTES);
    }
    process.memory().write(table, image.slice(0, writer.end()));
    Registers registers = thread.registers().copy().set(Name.ORIG_RAX, -1);
    registers.set(Name.RIP, code + ResidentRoutine.RUN_OPERATIONS);
    registers.set(Name.RBP, table).set(Name.R15, table + resultsAt);
    registers.set(Name.R14, code + ResidentRoutine.TRAP);
    process.runToTrap(thread, registers);
    process
        .memory()
        .read(table + resultsAt, count * Integer.BYTES)
        .asIntBuffer()
        .get(results, from, count);
  }
}
