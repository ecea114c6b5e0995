package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The programs, run as the kernel would run them; see the kernel's net/core/filter.c. */
final class SeccompFilterTest {
  private static final int X86_64 = 0xc000003e;
  private static final int ALLOW = 0x7fff0000;
  private static final int ERRNO = 0x00050000;

  private static int run(byte[] program, int architecture, int number, long argument) {
    ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    data.putInt(0, number).putInt(4, architecture).putLong(16, argument);
    ByteBuffer code = ByteBuffer.wrap(program).order(ByteOrder.nativeOrder());
    int accumulator = 0;
    for (int at = 0; ; at += SeccompFilter.INSTRUCTION_BYTES) {
      int operand = code.getInt(at + 4);
      int opcode = code.getShort(at);
      if (opcode == 0x06) {
        return operand;
      }
      if (opcode == 0x20) {
        accumulator = data.getInt(operand);
        continue;
      }
      boolean holds =
          switch (opcode) {
            case 0x15 -> accumulator == operand;
            case 0x35 -> Integer.compareUnsigned(accumulator, operand) >= 0;
            case 0x45 -> (accumulator & operand) != 0;
            default -> throw new AssertionError("opcode " + opcode);
          };
      at += (code.get(at + (holds ? 2 : 3)) & 0xff) * SeccompFilter.INSTRUCTION_BYTES;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ptrace,              101, 0, 1",
    "bpf,                 321, 0, 1",
    "quotactl_fd,         443, 0, 1",
    "a later call,        463, 0, 38",
    "an x32 call, 1073741824, 0, 38",
    "socket of AF_VSOCK,   41, 40, 97",
    "socket of AF_PACKET,  41, 17, 97",
  })
  void refuses(String what, int number, long argument, int errno) {
    assertThat(run(SeccompFilter.ofZygote(), X86_64, number, argument))
        .as(what)
        .isEqualTo(ERRNO | errno);
  }

  @ParameterizedTest
  @CsvSource({
    "read,               0, 3",
    "socket of AF_UNIX, 41, 1",
    "socket of AF_INET6, 41, 10",
    "socket of AF_NETLINK, 41, 16",
    "mount by a zygote, 165, 0",
    "a clone by a zygote, 56, 1879048209",
    "mseal, 462, 0",
  })
  void allows(String what, int number, long argument) {
    assertThat(run(SeccompFilter.ofZygote(), X86_64, number, argument)).as(what).isEqualTo(ALLOW);
  }

  @Test
  void clonesMakeNoNamespacesAndNoMounts() {
    byte[] filter = SeccompFilter.ofClone();
    assertThat(run(filter, X86_64, 165, 0)).as("mount").isEqualTo(ERRNO | 1);
    assertThat(run(filter, X86_64, 56, 0x10000011)).as("user namespace").isEqualTo(ERRNO | 1);
    assertThat(run(filter, X86_64, 56, 0x3d0f00)).as("thread").isEqualTo(ALLOW);
    assertThat(run(filter, X86_64, 1, 0x10000000)).as("write").isEqualTo(ALLOW);
  }

  @Test
  void callsOfAnotherArchitectureEndTheProcess() {
    for (byte[] filter : new byte[][] {SeccompFilter.ofZygote(), SeccompFilter.ofClone()}) {
      assertThat(run(filter, 0x40000003, 0, 0)).isEqualTo(0x80000000);
    }
  }
}
