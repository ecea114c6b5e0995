package io.pilotlight.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Reads the dynamic symbol table of a 64-bit shared library; see elf(5). */
final class ElfSymbols {
  private static final int SECTION_HEADERS = 0x28;
  private static final int SECTION_HEADER_BYTES = 0x3a;
  private static final int SECTION_COUNT = 0x3c;
  private static final int DYNSYM = 11;
  private static final int SYMBOL_BYTES = 24;

  private ElfSymbols() {}

  /**
   * The values of those of the wanted symbols that are there, relative to where the library is
   * loaded.
   */
  static Map<String, Long> find(Path library, Set<String> wanted) throws IOException {
    try (FileChannel file = FileChannel.open(library)) {
      ByteBuffer elf =
          file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()).order(ByteOrder.LITTLE_ENDIAN);
      long headers = elf.getLong(SECTION_HEADERS);
      int headerBytes = elf.getShort(SECTION_HEADER_BYTES);
      int count = Short.toUnsignedInt(elf.getShort(SECTION_COUNT));
      for (int i = 0; i < count; i++) {
        int header = Math.toIntExact(headers + (long) i * headerBytes);
        if (elf.getInt(header + 4) == DYNSYM) {
          int names = Math.toIntExact(headers + (long) elf.getInt(header + 0x28) * headerBytes);
          return symbols(elf, header, Math.toIntExact(elf.getLong(names + 0x18)), wanted);
        }
      }
      return Map.of();
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      throw new IOException(library + " is no 64-bit shared library", e);
    }
  }

  private static Map<String, Long> symbols(
      ByteBuffer elf, int header, int names, Set<String> wanted) {
    Map<String, Long> found = new HashMap<>();
    int first = Math.toIntExact(elf.getLong(header + 0x18));
    long bytes = elf.getLong(header + 0x20);
    for (int at = first; at < first + bytes; at += SYMBOL_BYTES) {
      String name = string(elf, names + elf.getInt(at));
      if (wanted.contains(name)) {
        found.put(name, elf.getLong(at + 8));
      }
    }
    return found;
  }

  private static String string(ByteBuffer elf, int at) {
    StringBuilder text = new StringBuilder();
    for (int i = at; elf.get(i) != 0; i++) {
      text.append((char) elf.get(i));
    }
    return text.toString();
  }
}
