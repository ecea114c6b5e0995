package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MemoryDumpTest {
  /**
   * Bits of the kernel's Documentation/admin-guide/mm/pagemap.rst: 63 present, 62 swapped, 61 a
   * file's or shared, 56 mapped exclusively, 55 soft-dirty; below are a frame's number, or swap's
   * type and offset.
   */
  @ParameterizedTest
  @CsvSource({
    "8000000000000123, true",
    "8180000000000123, true",
    "4000000000000025, true",
    "4180000000000025, true",
    "a000000000000123, false",
    "a100000000000123, false",
    "6000000000000025, false",
    "0080000000000000, false",
    "0000000000000000, false"
  })
  void pagesOfItsOwnAreWrittenAlsoSwappedOnes(String entry, boolean written) {
    assertThat(MemoryDump.isOwn(Long.parseUnsignedLong(entry, 16))).isEqualTo(written);
  }
}
