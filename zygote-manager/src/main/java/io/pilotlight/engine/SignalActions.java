package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.RT_SIGACTION;
import static io.pilotlight.linux.Uapi.SIGKILL;

import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Residence.SignalAction;
import io.pilotlight.tracee.FrozenProcess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Reads and sets how a process takes signals; see rt_sigaction(2). */
final class SignalActions {
  private static final int SIGSTOP = 19;
  private static final int SIGNALS = 64;
  private static final int MASK_BYTES = 8;

  /** Size of the kernel's struct sigaction. */
  private static final int ACTION_BYTES = 32;

  /** How much memory {@link #read} needs. */
  static final int BYTES = SIGNALS * ACTION_BYTES;

  private SignalActions() {}

  /**
   * Those that are not as they are at a program's start.
   *
   * @param process in which {@code batch} runs
   * @param space memory of it for {@link #BYTES}
   */
  static List<SignalAction> read(FrozenProcess process, OperationBatch batch, long space)
      throws IOException {
    List<Operation> operations = new ArrayList<>();
    for (int signal = 1; signal <= SIGNALS; signal++) {
      long into = space + (long) (signal - 1) * ACTION_BYTES;
      operations.add(
          Operation.of(
              "rt_sigaction",
              "signal " + signal,
              RT_SIGACTION,
              value(signal),
              value(0),
              value(into),
              value(MASK_BYTES)));
    }
    batch.runChecked(operations);
    ByteBuffer all = process.memory().read(space, BYTES);
    List<SignalAction> actions = new ArrayList<>();
    for (int signal = 1; signal <= SIGNALS; signal++) {
      int at = (signal - 1) * ACTION_BYTES;
      SignalAction action =
          new SignalAction(
              signal,
              all.getLong(at),
              all.getLong(at + 8),
              all.getLong(at + 16),
              all.getLong(at + 24));
      boolean settable = signal != SIGKILL && signal != SIGSTOP;
      if (settable && !action.equals(new SignalAction(signal, 0, 0, 0, 0))) {
        actions.add(action);
      }
    }
    return actions;
  }

  /** What sets one. */
  static Operation set(SignalAction action) {
    ByteBuffer bytes = ByteBuffer.allocate(ACTION_BYTES).order(ByteOrder.nativeOrder());
    bytes.putLong(action.handler()).putLong(action.flags());
    bytes.putLong(action.restorer()).putLong(action.mask());
    return Operation.of(
        "rt_sigaction",
        "signal " + action.signal(),
        RT_SIGACTION,
        value(action.signal()),
        new Bytes(bytes.array()),
        value(0),
        value(MASK_BYTES));
  }
}
