package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What lies beside a zygote's socket is a record, which is kept as it is, or refused. */
@Timeout(60)
final class ZygoteRecordFuzzTest {
  @TempDir static Path directory;

  @FuzzTest
  void fileIsARecordOrRefused(byte[] input) throws IOException {
    Path file = Files.write(directory.resolve("fuzzed" + ZygoteRecord.SUFFIX), input);
    ZygoteRecord record;
    try {
      record = ZygoteRecord.read(file);
    } catch (IOException e) {
      return;
    }
    ZygoteRecord copy = named(record, "copy");
    copy.write(directory);
    assertThat(ZygoteRecord.read(ZygoteRecord.file(directory, "copy"))).isEqualTo(copy);
  }

  /** Under a name that is a file's name. */
  private static ZygoteRecord named(ZygoteRecord record, String id) {
    return new ZygoteRecord(
        id,
        record.pid(),
        record.startTicks(),
        record.keeperPid(),
        record.spec(),
        record.blueprint(),
        record.residence(),
        record.warnings());
  }
}
