package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.descriptor.DescriptorKind;
import io.pilotlight.descriptor.OpenDescriptor;
import io.pilotlight.engine.Operation.Value;
import io.pilotlight.linux.Fd;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Sockets;
import java.nio.ByteBuffer;
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
      objects.addPipe(end(pipe.first()), false);
      List<String> refused = new ArrayList<>();
      objects.operations((end, missing) -> refused.add(end.number() + " " + missing));

      assertThat(refused).containsExactly(pipe.first().number() + " writing");
    }
  }

  @Test
  void halfAPipeMayBeShared() throws Exception {
    try (Sockets.Pair pipe = Sockets.pipe()) {
      KernelObjects objects = new KernelObjects(PID);
      objects.addPipe(end(pipe.first()), true);
      assertThat(objects.operations(KernelObjectsTest::notRefused)).isEmpty();
    }
  }

  @Test
  void pairOfSocketsIsMadeAnewWithWhatWaitsInIt() throws Exception {
    try (Sockets.Pair pair = Sockets.streamPair()) {
      Sockets.write(pair.first(), ByteBuffer.allocateDirect(3));
      KernelObjects objects = new KernelObjects(PID);
      objects.addSocket(pair.first().number(), 1, 2);
      objects.addSocket(pair.second().number(), 2, 1);
      List<Operation> operations = objects.operations(KernelObjectsTest::notRefused);

      assertThat(operations).filteredOn(o -> o.name().equals("socketpair")).hasSize(1);
      assertThat(operations)
          .filteredOn(o -> o.name().equals("write"))
          .singleElement()
          .satisfies(
              o -> {
                assertThat(o.arguments().get(0)).isEqualTo(new Value(pair.first().number()));
                assertThat(o.arguments().get(2)).isEqualTo(new Value(3));
              });
    }
  }

  private static List<Operation> operations(Fd... descriptors) throws Exception {
    KernelObjects objects = new KernelObjects(PID);
    for (Fd descriptor : descriptors) {
      objects.addPipe(end(descriptor), false);
    }
    return objects.operations(KernelObjectsTest::notRefused);
  }

  private static void notRefused(OpenDescriptor end, String missing) {
    throw new AssertionError(end + " " + missing);
  }

  private static OpenDescriptor end(Fd descriptor) throws Exception {
    return new OpenDescriptor(descriptor.number(), DescriptorKind.PIPE, target(descriptor));
  }

  private static String target(Fd descriptor) throws Exception {
    return ProcFs.descriptorTarget(PID, descriptor.number());
  }
}
