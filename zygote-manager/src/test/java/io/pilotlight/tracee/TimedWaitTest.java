package io.pilotlight.tracee;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.pilotlight.linux.ProcessMemory;
import io.pilotlight.linux.Ptrace;
import io.pilotlight.tracee.Registers.Name;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Reads the deadline from this process's own memory, as it is read from a zygote's. */
final class TimedWaitTest {
  private static final long FUTEX = 202;
  private static final long RESTART_SYSCALL = 219;
  private static final int BITSET_PRIVATE = 0x89;
  private static final int REALTIME = 0x100;
  private static final long INTERRUPTED = -516;

  private final Memory deadline = new Memory(16);
  private final ProcessMemory memory = new ProcessMemory((int) ProcessHandle.current().pid());

  private Registers waitingIn(long call, int operation) {
    deadline.setLong(0, 5);
    deadline.setLong(8, 250);
    return new Registers()
        .set(Name.ORIG_RAX, call)
        .set(Name.RAX, INTERRUPTED)
        .set(Name.RIP, 0x1002)
        .set(Name.RDI, 0x4000)
        .set(Name.RSI, operation)
        .set(Name.R10, Pointer.nativeValue(deadline))
        .set(Name.R9, 0xffff_ffffL);
  }

  private OptionalLong remaining(Registers registers, long now) throws Exception {
    ThreadState thread =
        new ThreadState(
            1,
            1,
            "VM Thread",
            registers,
            ByteBuffer.allocate(0),
            0,
            new Ptrace.Rseq(0, 0, 0),
            new Ptrace.RobustList(0, 0),
            0,
            -1,
            new byte[0]);
    try {
      return TimedWait.remainingNanos(thread, memory, now);
    } finally {
      Reference.reachabilityFence(deadline);
    }
  }

  @Test
  void whatIsLeftIsUntilTheDeadline() throws Exception {
    assertThat(remaining(waitingIn(FUTEX, BITSET_PRIVATE), 4_000_000_000L))
        .hasValue(1_000_000_250L);
    assertThat(remaining(waitingIn(FUTEX, BITSET_PRIVATE), 9_000_000_000L)).hasValue(0);
  }

  @Test
  void aWaitThatWasInterruptedBeforeIsOneToo() throws Exception {
    assertThat(remaining(waitingIn(RESTART_SYSCALL, BITSET_PRIVATE), 5_000_000_000L)).hasValue(250);
  }

  @Test
  void otherWaitsAreLeftAsTheyAre() throws Exception {
    assertThat(remaining(waitingIn(FUTEX, BITSET_PRIVATE | REALTIME), 0)).isEmpty();
    assertThat(remaining(waitingIn(FUTEX, BITSET_PRIVATE).set(Name.R10, 0), 0)).isEmpty();
    assertThat(remaining(waitingIn(FUTEX, BITSET_PRIVATE).set(Name.R9, 1), 0)).isEmpty();
    assertThat(remaining(waitingIn(0, BITSET_PRIVATE), 0)).as("a read").isEmpty();
    assertThat(remaining(waitingIn(FUTEX, BITSET_PRIVATE).set(Name.RAX, 7), 0))
        .as("woken already")
        .isEmpty();
  }

  @Test
  void theThreadWaitsForADurationInstead() {
    Registers found = waitingIn(RESTART_SYSCALL, BITSET_PRIVATE);
    Registers registers = TimedWait.waitingFor(found, 0x7000);
    assertThat(registers.get(Name.RAX)).as("futex").isEqualTo(FUTEX);
    assertThat(registers.get(Name.RSI)).as("FUTEX_WAIT, private").isEqualTo(0x80);
    assertThat(registers.get(Name.R10)).isEqualTo(0x7000);
    assertThat(registers.get(Name.RDI)).as("the same futex").isEqualTo(0x4000);
    assertThat(registers.get(Name.RIP)).as("entered again").isEqualTo(0x1000);
    assertThat(registers.restartInterruptedCall().get(Name.RAX)).as("once only").isEqualTo(FUTEX);
    assertThat(found.get(Name.RSI)).as("what was found is unchanged").isEqualTo(BITSET_PRIVATE);
  }

  @Test
  void aDurationIsSecondsAndNanoseconds() {
    ByteBuffer bytes = ByteBuffer.allocate(24).order(ByteOrder.nativeOrder());
    TimedWait.writeTimespec(bytes, 8, 3_000_000_007L);
    assertThat(bytes.getLong(8)).isEqualTo(3);
    assertThat(bytes.getLong(16)).isEqualTo(7);
  }
}
