package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.engine.Operation.Value;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Sockets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Looks at this process's own pipes, as at a zygote's. */
final class KernelObjectsTest {
  private static final int PID = (int) ProcessHandle.current().pid();
  private static final int O_NONBLOCK = 04000;

  @Test
  void eachEndOfAPipeWaitsOrDoesNotAsItDid() throws Exception {
    try (Sockets.Pair pipe = Sockets.pipe()) {
      // Its first end, for reading, does not wait; its second does.
      List<Operation> operations = operations(pipe.first(), pipe.second());

      assertThat(operations).filteredOn(o -> o.name().equals("pipe2")).hasSize(1);
      assertThat(operations)
          .filteredOn(o -> o.name().equals("fcntl"))
          .singleElement()
          .satisfies(
              o ->
                  assertThat(o.arguments())
                      .containsExactly(
                          new Value(pipe.first().number()), new Value(4), new Value(O_NONBLOCK)));
    }
  }

  @Test
  void halfAPipeIsRefusedByName() throws Exception {
    try (Sockets.Pair pipe = Sockets.pipe()) {
      KernelObjects objects = new KernelObjects(PID);
      assertThat(objects.add(pipe.first().number(), target(pipe.first()))).isTrue();
      List<String> refused = new ArrayList<>();
      objects.operations((what, number) -> refused.add(number + " " + what));

      assertThat(refused)
          .singleElement()
          .asString()
          .startsWith(pipe.first().number() + " is one end of pipe:[")
          .contains("another process has the writing end");
    }
  }

  private static List<Operation> operations(Fd... descriptors) throws Exception {
    KernelObjects objects = new KernelObjects(PID);
    for (Fd descriptor : descriptors) {
      assertThat(objects.add(descriptor.number(), target(descriptor))).isTrue();
    }
    return objects.operations(
        (what, number) -> {
          throw new AssertionError(number + " " + what);
        });
  }

  private static String target(Fd descriptor) throws Exception {
    return ProcFs.descriptorTarget(PID, descriptor.number());
  }
}
