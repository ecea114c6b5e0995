package io.pilotlight.engine;

import static io.pilotlight.linux.Syscall.DUP3;
import static io.pilotlight.linux.Uapi.O_PATH;

import io.pilotlight.engine.Operation.Value;
import io.pilotlight.engine.Residence.KeptDescriptor;
import io.pilotlight.engine.Residence.KeptDescriptor.Kind;
import io.pilotlight.linux.ProcFs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Looks at what a fork server has under each number, when its plan has been made and carried out.
 */
final class KeptDescriptors {

  private KeptDescriptors() {}

  /**
   * All of them.
   *
   * @param own descriptors that the engine deals with itself
   * @param operations what each clone does
   */
  static List<KeptDescriptor> of(int pid, Set<Integer> own, List<Operation> operations)
      throws IOException {
    Set<Integer> replaced = replaced(operations);
    List<KeptDescriptor> kept = new ArrayList<>();
    for (int number : ProcFs.descriptors(pid)) {
      if (!own.contains(number)) {
        String target = ProcFs.descriptorTarget(pid, number);
        int flags = Integer.parseInt(ProcFs.descriptorInfo(pid, number, "flags"), 8);
        Kind kind = replaced.contains(number) ? Kind.REPLACED : kind(pid, number, target, flags);
        kept.add(new KeptDescriptor(number, kind, target, flags));
      }
    }
    return kept;
  }

  /** The numbers under which clones put something of their own. */
  private static Set<Integer> replaced(List<Operation> operations) {
    Set<Integer> numbers = new HashSet<>();
    for (Operation operation : operations) {
      if (operation.number() == DUP3 && operation.arguments().get(1) instanceof Value number) {
        numbers.add((int) number.value());
      }
    }
    return numbers;
  }

  private static Kind kind(int pid, int number, String target, int flags) throws IOException {
    if (Descriptors.STATELESS_DEVICES.contains(target) || (flags & O_PATH) != 0) {
      return Kind.NAMED;
    }
    if (target.startsWith("socket:[")) {
      OptionalLong peer = new SocketTable(pid).peer(Descriptors.inode(target));
      return Descriptors.isDeadEnd(pid, number, peer) ? Kind.DEAD_END : Kind.SHARED;
    }
    return Kind.SHARED;
  }
}
