package io.pilotlight.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * The machine code of {@code src/main/asm/resident.S}, kept as hexadecimal text beside this class,
 * and its fixed entries. A test assembles the source again and compares every byte.
 */
final class ResidentRoutine {
  /** The fork server: rdi is the control block. */
  static final int SERVE = 0x00;

  /** Runs the operations from rbp to r15 and jumps to r14. */
  static final int RUN_OPERATIONS = 0x10;

  /** Where all other threads of a zygote stay. */
  static final int PARK = 0x20;

  /** CPUID, then a trap. */
  static final int CPUID = 0x30;

  /** A trap: where a batch under ptrace returns to. */
  static final int TRAP = 0x40;

  private static final String RESOURCE = "resident.hex";

  private ResidentRoutine() {}

  /** The code; position-independent. */
  static byte[] code() {
    try (InputStream in = ResidentRoutine.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException("resource " + RESOURCE + " is missing from this build");
      }
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
    } catch (IOException e) {
      throw new IllegalStateException("resource " + RESOURCE + " cannot be read", e);
    }
  }
}
