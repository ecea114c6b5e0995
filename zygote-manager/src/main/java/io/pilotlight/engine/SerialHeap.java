package io.pilotlight.engine;

import io.pilotlight.linux.KernelException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Finds the young generation in a frozen JVM that runs the Serial collector. A warm-up fills it
 * many times over, and the collector empties eden and one survivor space but keeps their pages;
 * given back to the kernel they make the zygote as small as what it needs.
 *
 * <p>Memory above a space's top holds nothing: the JVM allocates upwards from there and clears what
 * it hands out.
 */
final class SerialHeap {
  /** The types on the way to it; JDK 17 and 25 place some fields in different ones. */
  static final Set<String> TYPES =
      Set.of(
          "Universe",
          "SerialHeap",
          "GenCollectedHeap",
          "DefNewGeneration",
          "ContiguousSpace",
          "Space");

  private static final List<String> SPACES = List.of("_eden_space", "_from_space", "_to_space");

  private SerialHeap() {}

  /**
   * A part of the young generation.
   *
   * @param bottom its first byte
   * @param top the first byte that holds nothing
   * @param end the first byte after it
   */
  record Space(long bottom, long top, long end) {}

  /**
   * Finds eden and the two survivor spaces.
   *
   * @return empty if this JVM does not describe itself as expected
   */
  static List<Space> young(VmStructs structs) throws KernelException {
    OptionalLong heap = structs.field("Universe._collectedHeap");
    OptionalLong young = structs.field("SerialHeap._young_gen", "GenCollectedHeap._young_gen");
    if (heap.isEmpty() || young.isEmpty()) {
      return List.of();
    }
    long generation = structs.word(structs.word(heap.getAsLong()) + young.getAsLong());
    List<Space> spaces = new ArrayList<>();
    for (String name : SPACES) {
      OptionalLong place = structs.field("DefNewGeneration." + name);
      Optional<Space> space =
          place.isEmpty()
              ? Optional.empty()
              : space(structs, structs.word(generation + place.getAsLong()));
      if (space.isEmpty()) {
        return List.of();
      }
      spaces.add(space.get());
    }
    return spaces;
  }

  private static Optional<Space> space(VmStructs structs, long address) throws KernelException {
    OptionalLong bottom = structs.field("ContiguousSpace._bottom", "Space._bottom");
    OptionalLong top = structs.field("ContiguousSpace._top");
    OptionalLong end = structs.field("ContiguousSpace._end", "Space._end");
    if (bottom.isEmpty() || top.isEmpty() || end.isEmpty()) {
      return Optional.empty();
    }
    Space found =
        new Space(
            structs.word(address + bottom.getAsLong()),
            structs.word(address + top.getAsLong()),
            structs.word(address + end.getAsLong()));
    boolean sound =
        found.bottom() > 0 && found.bottom() <= found.top() && found.top() <= found.end();
    return sound ? Optional.of(found) : Optional.empty();
  }
}
