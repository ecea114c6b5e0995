package io.pilotlight.engine;

import io.pilotlight.linux.KernelException;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Finds the metaspace of a frozen JVM. It is reserved in whole multiples of its root chunks, which
 * are aligned to their size of 4 MiB or more (src/hotspot/share/memory/metaspace/chunklevel.hpp),
 * so where one address belongs to it, the whole aligned 2 MiB around it do. Parts that are not used
 * yet have no access; nothing relies on that, they are not guard pages.
 */
final class Metaspace {
  /** The types on the way to it. */
  static final Set<String> TYPES =
      Set.of("ClassLoaderDataGraph", "ClassLoaderData", "Klass", "InstanceKlass", "ConstantPool");

  /** More loaders, or classes of one loader, than any JVM has: the lists are not what they seem. */
  private static final int MAX_LENGTH = 1_000_000;

  private final VmStructs structs;
  private final long blockBytes;
  private final SortedSet<Long> blocks = new TreeSet<>();

  private Metaspace(VmStructs structs, long blockBytes) {
    this.structs = structs;
    this.blockBytes = blockBytes;
  }

  /**
   * The aligned blocks that hold a class or its constants, be it in metaspace proper, in the class
   * space, or in a CDS archive, which looks the same from here.
   *
   * @param blockBytes at most 4 MiB, a power of two
   * @return empty if this JVM does not describe itself as expected
   */
  static SortedSet<Long> blocks(VmStructs structs, long blockBytes) throws KernelException {
    Metaspace metaspace = new Metaspace(structs, blockBytes);
    OptionalLong head = structs.field("ClassLoaderDataGraph._head");
    OptionalLong next = structs.field("ClassLoaderData._next");
    OptionalLong classes = structs.field("ClassLoaderData._klasses");
    if (head.isEmpty() || next.isEmpty() || classes.isEmpty()) {
      return metaspace.blocks;
    }
    long loader = structs.word(head.getAsLong());
    for (int i = 0; loader != 0 && i < MAX_LENGTH; i++) {
      metaspace.addAll(structs.word(loader + classes.getAsLong()));
      loader = structs.word(loader + next.getAsLong());
    }
    return metaspace.blocks;
  }

  private void addAll(long first) throws KernelException {
    OptionalLong next = structs.field("Klass._next_link");
    OptionalLong constants = structs.field("InstanceKlass._constants");
    OptionalLong holder = structs.field("ConstantPool._pool_holder");
    if (next.isEmpty() || constants.isEmpty() || holder.isEmpty()) {
      return;
    }
    long type = first;
    for (int i = 0; type != 0 && i < MAX_LENGTH; i++) {
      add(type);
      long pool = structs.word(type + constants.getAsLong());
      // An array class has something else there.
      if (pool != 0
          && (pool & (Long.BYTES - 1)) == 0
          && isHeldBy(pool + holder.getAsLong(), type)) {
        add(pool);
      }
      type = structs.word(type + next.getAsLong());
    }
  }

  private boolean isHeldBy(long holder, long type) {
    try {
      return structs.word(holder) == type;
    } catch (KernelException e) {
      return false;
    }
  }

  private void add(long address) {
    blocks.add(address & -blockBytes);
  }
}
