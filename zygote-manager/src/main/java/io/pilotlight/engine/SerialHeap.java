package io.pilotlight.engine;

import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcessMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the young generation in a frozen JVM that runs the Serial collector. A warm-up fills it
 * many times over, and the collector empties eden and one survivor space but keeps their pages;
 * given back to the kernel they make the zygote as small as what it needs.
 *
 * <p>HotSpot describes its own structures in the exported table {@code gHotSpotVMStructs}
 * (src/hotspot/share/runtime/vmStructs.hpp), for its serviceability agent. Memory above a space's
 * top holds nothing: the JVM allocates upwards from there and clears what it hands out.
 */
final class SerialHeap {
  private static final String TABLE = "gHotSpotVMStructs";
  private static final String ENTRY = "gHotSpotVMStructEntry";
  private static final String TYPE_NAME = ENTRY + "TypeNameOffset";
  private static final String FIELD_NAME = ENTRY + "FieldNameOffset";
  private static final String OFFSET = ENTRY + "OffsetOffset";
  private static final String ADDRESS = ENTRY + "AddressOffset";
  private static final String STRIDE = ENTRY + "ArrayStride";
  private static final int MAX_ENTRIES = 20_000;
  private static final int NAME_BYTES = 64;

  private static final List<String> SPACES = List.of("_eden_space", "_from_space", "_to_space");

  /** The fields on the way to them; JDK 17 and 25 place some of them in different classes. */
  private static final Set<String> FIELDS =
      Set.of(
          "_collectedHeap",
          "_young_gen",
          "_eden_space",
          "_from_space",
          "_to_space",
          "_bottom",
          "_top",
          "_end");

  private static final Set<String> TYPES =
      Set.of(
          "Universe",
          "SerialHeap",
          "GenCollectedHeap",
          "DefNewGeneration",
          "ContiguousSpace",
          "Space");

  private final ProcessMemory memory;
  private final Map<String, Long> symbols = new HashMap<>();
  private final Map<String, Long> fields = new HashMap<>();

  private SerialHeap(ProcessMemory memory) {
    this.memory = memory;
  }

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
  static List<Space> young(ProcessMemory memory, List<ProcFs.Mapping> mappings) throws IOException {
    Optional<ProcFs.Mapping> library =
        mappings.stream().filter(m -> m.path().endsWith("/libjvm.so")).findFirst();
    if (library.isEmpty()) {
      return List.of();
    }
    SerialHeap heap = new SerialHeap(memory);
    Map<String, Long> found =
        ElfSymbols.find(
            Path.of(library.get().path()),
            Set.of(TABLE, TYPE_NAME, FIELD_NAME, OFFSET, ADDRESS, STRIDE));
    found.forEach((name, value) -> heap.symbols.put(name, library.get().start() + value));
    if (heap.symbols.size() != 6) {
      return List.of();
    }
    heap.readFields();
    return heap.spaces();
  }

  private long symbol(String name) throws KernelException {
    return word(symbols.getOrDefault(name, 0L));
  }

  private long word(long address) throws KernelException {
    return memory.read(address, Long.BYTES).getLong(0);
  }

  private void readFields() throws KernelException {
    int stride = (int) symbol(STRIDE);
    int typeName = (int) symbol(TYPE_NAME);
    int fieldName = (int) symbol(FIELD_NAME);
    int offset = (int) symbol(OFFSET);
    int address = (int) symbol(ADDRESS);
    long table = symbol(TABLE);
    for (int i = 0; i < MAX_ENTRIES; i++) {
      ByteBuffer entry = memory.read(table + (long) i * stride, stride);
      if (entry.getLong(typeName) == 0) {
        return;
      }
      String type = string(entry.getLong(typeName));
      String field = TYPES.contains(type) ? string(entry.getLong(fieldName)) : "";
      if (FIELDS.contains(field)) {
        long place = entry.getLong(address);
        fields.put(type + "." + field, place != 0 ? place : entry.getLong(offset));
      }
    }
  }

  private String string(long address) throws KernelException {
    ByteBuffer bytes = memory.read(address, NAME_BYTES);
    int length = 0;
    while (length < NAME_BYTES && bytes.get(length) != 0) {
      length++;
    }
    byte[] text = new byte[length];
    bytes.get(text);
    return new String(text, StandardCharsets.US_ASCII);
  }

  private List<Space> spaces() throws KernelException {
    Long heap = fields.get("Universe._collectedHeap");
    Long young = firstOf("SerialHeap._young_gen", "GenCollectedHeap._young_gen");
    if (heap == null || young == null) {
      return List.of();
    }
    long generation = word(word(heap) + young);
    List<Space> spaces = new ArrayList<>();
    for (String name : SPACES) {
      Long place = fields.get("DefNewGeneration." + name);
      Optional<Space> space = place == null ? Optional.empty() : space(word(generation + place));
      if (space.isEmpty()) {
        return List.of();
      }
      spaces.add(space.get());
    }
    return spaces;
  }

  private Optional<Space> space(long address) throws KernelException {
    Long bottom = firstOf("ContiguousSpace._bottom", "Space._bottom");
    Long top = fields.get("ContiguousSpace._top");
    Long end = firstOf("ContiguousSpace._end", "Space._end");
    if (bottom == null || top == null || end == null) {
      return Optional.empty();
    }
    Space found = new Space(word(address + bottom), word(address + top), word(address + end));
    boolean sound =
        found.bottom() > 0 && found.bottom() <= found.top() && found.top() <= found.end();
    return sound ? Optional.of(found) : Optional.empty();
  }

  private @org.jspecify.annotations.Nullable Long firstOf(String name, String other) {
    Long value = fields.get(name);
    return value != null ? value : fields.get(other);
  }
}
