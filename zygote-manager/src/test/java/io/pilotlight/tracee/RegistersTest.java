package io.pilotlight.tracee;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.tracee.Registers.Name;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RegistersTest {
  private static final long FUTEX = 202;

  private static Registers in(long call, long result) {
    return new Registers()
        .set(Name.ORIG_RAX, call)
        .set(Name.RAX, result)
        .set(Name.RIP, 0x1002)
        .set(Name.RDI, 5);
  }

  @ParameterizedTest
  @ValueSource(longs = {-512, -513, -514})
  void interruptedCallIsEnteredAgain(long result) {
    Registers registers = in(FUTEX, result).restartInterruptedCall();

    assertThat(registers.get(Name.RAX)).isEqualTo(FUTEX);
    assertThat(registers.get(Name.RIP)).as("back at the instruction").isEqualTo(0x1000);
    assertThat(registers.get(Name.ORIG_RAX)).as("not in a call any more").isEqualTo(-1);
    assertThat(registers.get(Name.RDI)).isEqualTo(5);
  }

  @Test
  void callWithStateInTheKernelReturnsEintr() {
    Registers registers = in(FUTEX, -516).restartInterruptedCall();

    assertThat(registers.get(Name.RAX)).isEqualTo(-4);
    assertThat(registers.get(Name.RIP)).isEqualTo(0x1002);
  }

  @Test
  void finishedCallAndComputingThreadStayAsTheyAre() {
    assertThat(in(FUTEX, 1).restartInterruptedCall().get(Name.RIP)).isEqualTo(0x1002);
    Registers computing = in(-1, -512).restartInterruptedCall();
    assertThat(computing.get(Name.RAX)).as("a value that only looks like it").isEqualTo(-512);
    assertThat(computing.get(Name.RIP)).isEqualTo(0x1002);
  }

  @Test
  void onlyAnInterruptedCallIsWaiting() {
    assertThat(in(FUTEX, -512).waiting()).isTrue();
    assertThat(in(FUTEX, -516).waiting()).isTrue();
    assertThat(in(FUTEX, 0).waiting()).isFalse();
    assertThat(in(-1, -512).waiting()).isFalse();
  }

  @Test
  void copyIsIndependent() {
    Registers original = in(FUTEX, 0);
    original.copy().set(Name.RDI, 9);
    assertThat(original.get(Name.RDI)).isEqualTo(5);
  }
}
