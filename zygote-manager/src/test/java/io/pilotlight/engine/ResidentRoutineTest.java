package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The machine code that is shipped is what the source says. Needs the assembler: package binutils.
 */
final class ResidentRoutineTest {
  private static final Path SOURCES = Path.of("src/main/asm").toAbsolutePath();

  @TempDir Path directory;

  @Test
  void bytesComeFromTheSource() throws Exception {
    assertThat(assemble(SOURCES.resolve("resident.S"))).isEqualTo(ResidentRoutine.code());
  }

  @Test
  void oneChangedInstructionIsNoticed() throws Exception {
    String source = Files.readString(SOURCES.resolve("resident.S"));
    String instruction = "        mov     $1, %edx\n";
    assertThat(source).contains(instruction);
    Path changed = directory.resolve("changed.S");
    Files.writeString(changed, source.replace(instruction, "        mov     $2, %edx\n"));

    assertThat(assemble(changed)).isNotEqualTo(ResidentRoutine.code());
  }

  @Test
  void fitsItsPageAndHasItsEntries() {
    byte[] code = ResidentRoutine.code();
    assertThat(code.length).isLessThan(ResidentLayout.PAGE);
    assertThat(code[ResidentRoutine.TRAP]).as("int3").isEqualTo((byte) 0xcc);
    assertThat(code[ResidentRoutine.CPUID]).as("cpuid").isEqualTo((byte) 0x0f);
    assertThat(code[ResidentRoutine.PARK]).as("mov $34, %eax").isEqualTo((byte) 0xb8);
  }

  private byte[] assemble(Path source) throws IOException, InterruptedException {
    Path errors = directory.resolve("errors");
    Process process =
        new ProcessBuilder(SOURCES.resolve("assemble.sh").toString(), source.toString())
            .redirectError(errors.toFile())
            .start();
    String hex = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
    return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
  }
}
