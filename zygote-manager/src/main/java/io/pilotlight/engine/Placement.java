package io.pilotlight.engine;

import static io.pilotlight.engine.Operation.value;
import static io.pilotlight.linux.Syscall.WRITE;

import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Received;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * How a clone gets into its control groups. Either it is born there, by clone3(2) with
 * CLONE_INTO_CGROUP, which takes one descriptor: that of the directory. Or it enters them while it
 * has one thread, by writing to files whose descriptors it is given.
 *
 * @param atBirth whether it is born there
 * @param groups what the groups are, for messages; one descriptor for each comes with the request
 */
public record Placement(boolean atBirth, List<String> groups) {
  /** It stays where its zygote is. */
  public static final Placement NONE = new Placement(false, List.of());

  /** A thread that writes this enters a group itself. */
  private static final byte[] MYSELF = "0".getBytes(StandardCharsets.US_ASCII);

  /** Copies the list. */
  public Placement {
    groups = List.copyOf(groups);
    if (atBirth && groups.size() != 1) {
      throw new IllegalArgumentException("a process is born in one group, not in " + groups);
    }
  }

  /** What the clone does before anything else. */
  List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    for (int i = 0; i < groups.size(); i++) {
      Received descriptor = new Received(ForkServerClient.OWN_DESCRIPTORS + i);
      if (!atBirth) {
        operations.add(
            Operation.of(
                "write",
                "control group " + groups.get(i),
                WRITE,
                descriptor,
                new Bytes(MYSELF),
                value(MYSELF.length)));
      }
      operations.add(ForkServer.close(descriptor, "control group " + groups.get(i)));
    }
    return operations;
  }
}
