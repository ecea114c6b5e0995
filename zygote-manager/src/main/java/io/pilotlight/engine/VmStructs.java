package io.pilotlight.engine;

import io.pilotlight.linux.KernelException;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.ProcessMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a frozen HotSpot says of its own structures: the exported table {@code gHotSpotVMStructs}
 * (src/hotspot/share/runtime/vmStructs.hpp), made for the serviceability agent. JDKs place some
 * fields in different classes, so whoever asks must do without any of them. Belongs to one thread.
 */
final class VmStructs {
  private static final String TABLE = "gHotSpotVMStructs";
  private static final String ENTRY = "gHotSpotVMStructEntry";
  private static final String TYPE_NAME = ENTRY + "TypeNameOffset";
  private static final String FIELD_NAME = ENTRY + "FieldNameOffset";
  private static final String OFFSET = ENTRY + "OffsetOffset";
  private static final String ADDRESS = ENTRY + "AddressOffset";
  private static final String STRIDE = ENTRY + "ArrayStride";
  private static final Set<String> SYMBOLS =
      Set.of(TABLE, TYPE_NAME, FIELD_NAME, OFFSET, ADDRESS, STRIDE);
  private static final int MAX_ENTRIES = 20_000;
  private static final int NAME_BYTES = 64;

  private final ProcessMemory memory;
  private final Map<String, Long> fields = new HashMap<>();

  /** Room for one word, since tens of thousands are read. */
  private final ByteBuffer word =
      ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());

  private VmStructs(ProcessMemory memory) {
    this.memory = memory;
  }

  /**
   * Reads the fields of some types.
   *
   * @return empty if the process has no libjvm with such a table
   */
  static Optional<VmStructs> read(
      ProcessMemory memory, List<ProcFs.Mapping> mappings, Set<String> types) throws IOException {
    Optional<ProcFs.Mapping> library =
        mappings.stream().filter(m -> m.path().endsWith("/libjvm.so")).findFirst();
    if (library.isEmpty()) {
      return Optional.empty();
    }
    Map<String, Long> symbols = ElfSymbols.find(Path.of(library.get().path()), SYMBOLS);
    if (symbols.size() != SYMBOLS.size()) {
      return Optional.empty();
    }
    VmStructs structs = new VmStructs(memory);
    symbols.replaceAll((name, value) -> library.get().start() + value);
    structs.readFields(symbols, types);
    return Optional.of(structs);
  }

  private void readFields(Map<String, Long> symbols, Set<String> types) throws KernelException {
    int stride = (int) word(symbols.getOrDefault(STRIDE, 0L));
    int typeName = (int) word(symbols.getOrDefault(TYPE_NAME, 0L));
    int fieldName = (int) word(symbols.getOrDefault(FIELD_NAME, 0L));
    int offset = (int) word(symbols.getOrDefault(OFFSET, 0L));
    int address = (int) word(symbols.getOrDefault(ADDRESS, 0L));
    long table = word(symbols.getOrDefault(TABLE, 0L));
    Map<Long, String> typeNames = new HashMap<>();
    for (int i = 0; i < MAX_ENTRIES; i++) {
      ByteBuffer entry = memory.read(table + (long) i * stride, stride);
      long namedAt = entry.getLong(typeName);
      if (namedAt == 0) {
        return;
      }
      String type = typeNames.get(namedAt);
      if (type == null) {
        type = string(namedAt);
        typeNames.put(namedAt, type);
      }
      if (types.contains(type)) {
        long place = entry.getLong(address);
        fields.put(
            type + "." + string(entry.getLong(fieldName)),
            place != 0 ? place : entry.getLong(offset));
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

  /**
   * The address of a static field, the offset of another.
   *
   * @param names {@code Type._field}; the first that this JDK knows counts
   */
  OptionalLong field(String... names) {
    for (String name : names) {
      Long value = fields.get(name);
      if (value != null) {
        return OptionalLong.of(value);
      }
    }
    return OptionalLong.empty();
  }

  /** A word of the JVM's memory. */
  long word(long address) throws KernelException {
    memory.read(address, word);
    return word.getLong(0);
  }
}
