package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.descriptor.PolicyException;
import io.pilotlight.engine.CloneCall;
import io.pilotlight.engine.ForkEngine.Blueprint;
import io.pilotlight.engine.Isolation;
import io.pilotlight.engine.Residence;
import io.pilotlight.engine.Residence.KeptDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ZygoteRecordTest {
  @TempDir Path directory;

  private static ZygoteRecord record() throws PolicyException {
    FunctionSpec spec =
        new FunctionSpec(
            "name",
            "2",
            "C::m",
            List.of(Path.of("/a b.jar")),
            List.of(Path.of("/layer.jar")),
            Map.of("KEY", "a=b\nc:ü"),
            new Limits(256, 500, 99, 98, 97),
            Path.of("/jdk"),
            List.of("-Dx=y"),
            new DescriptorOptions(
                DescriptorPolicy.parse("type: file\npath: \"**/*.log\"\naction: close"), true),
            Isolation.SANDBOX,
            true);
    Residence residence =
        new Residence(
            0x7f00,
            List.of(new Residence.SignalAction(11, 0x7e01, 4, 0x7e02, 1)),
            new Residence.Leader(0x7d00, 0x7d80, 32, 0x53053053, "java", 0, 50_000),
            List.of(new KeptDescriptor(5, KeptDescriptor.Kind.NAMED, "/dev/null", 2)),
            11,
            77,
            78);
    Blueprint blueprint =
        new Blueprint(12, new CloneCall(17, 0x7f02, 0x7f01), List.of("dup3 (channel)"));
    return new ZygoteRecord("z-1", 4711, 99, 4710, spec, blueprint, residence, List.of("w"));
  }

  @Test
  void isReadAsItWasWritten() throws Exception {
    record().write(directory);
    assertThat(ZygoteRecord.read(ZygoteRecord.file(directory, "z-1"))).isEqualTo(record());
  }

  @Test
  void onlyItsOwnerMayReadIt() throws Exception {
    record().write(directory);
    Path file = ZygoteRecord.file(directory, "z-1");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(directory.toFile().list()).as("no temporary file").containsExactly("z-1.zygote");
  }

  @Test
  void damageIsNamed() throws Exception {
    record().write(directory);
    Path file = ZygoteRecord.file(directory, "z-1");
    String text = Files.readString(file);
    Files.writeString(file, text.replace("pid=4711", "pid=x"));
    assertThatThrownBy(() -> ZygoteRecord.read(file)).hasMessageContaining(file.toString());
    Files.writeString(file, text.replace("residence={", "residence={{"));
    assertThatThrownBy(() -> ZygoteRecord.read(file)).hasMessageContaining(file.toString());
    Files.writeString(file, text.replace("pid=4711", ""));
    assertThatThrownBy(() -> ZygoteRecord.read(file)).hasMessageContaining("'pid'");
    Files.writeString(file, text.replaceFirst("(?m)^format=.*$", "format=9"));
    assertThatThrownBy(() -> ZygoteRecord.read(file)).hasMessageContaining("format 9");
  }
}
