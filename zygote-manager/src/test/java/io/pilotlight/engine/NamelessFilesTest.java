package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.descriptor.DescriptorKind;
import io.pilotlight.descriptor.OpenDescriptor;
import io.pilotlight.engine.Operation.Bytes;
import io.pilotlight.engine.Operation.Value;
import io.pilotlight.linux.ProcFs;
import io.pilotlight.linux.Syscall;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With files that this very process has open. */
final class NamelessFilesTest {
  private final int self = (int) ProcessHandle.current().pid();
  private final NamelessFiles nameless = new NamelessFiles(self);

  @TempDir Path directory;

  private List<OpenDescriptor> descriptors(Path file) throws Exception {
    List<OpenDescriptor> found = new ArrayList<>();
    for (int number : ProcFs.descriptors(self)) {
      Path link = Path.of("/proc/" + self + "/fd/" + number);
      if (Files.isSymbolicLink(link)) {
        String target = ProcFs.descriptorTarget(self, number);
        if (target.equals(file.toRealPath().toString())) {
          found.add(new OpenDescriptor(number, DescriptorKind.FILE, target + " (deleted)"));
        }
      }
    }
    return found;
  }

  private List<Operation> calls(int number) throws Exception {
    return nameless.operations().stream().filter(o -> o.number() == number).toList();
  }

  @Test
  void descriptorsOfOneFileShareOneCopy() throws Exception {
    Path file = Files.write(directory.resolve("some file"), new byte[] {1, 2, 0, 0});
    try (RandomAccessFile one = new RandomAccessFile(file.toFile(), "rw");
        RandomAccessFile other = new RandomAccessFile(file.toFile(), "r")) {
      one.seek(3);
      List<OpenDescriptor> open = descriptors(file);
      assertThat(open).hasSize(2);
      for (OpenDescriptor descriptor : open) {
        assertThat(nameless.add(descriptor)).isEmpty();
      }
      assertThat(calls(Syscall.MEMFD_CREATE)).hasSize(1);
      assertThat(calls(Syscall.MEMFD_CREATE).get(0).detail()).isEqualTo("a copy of some file");
      // Zeros at its end are not written, but there.
      List<Operation.Argument> written = calls(Syscall.PWRITE64).get(0).arguments();
      assertThat(((Bytes) written.get(1)).bytes()).containsExactly(1, 2);
      assertThat(calls(Syscall.FTRUNCATE).get(0).arguments().get(1)).isEqualTo(new Value(4));
      assertThat(calls(Syscall.OPEN)).hasSize(2);
      assertThat(calls(Syscall.LSEEK)).hasSize(1);
      assertThat(calls(Syscall.LSEEK).get(0).arguments().get(1)).isEqualTo(new Value(3));
      assertThat(other.getFilePointer()).isEqualTo(0);
    }
  }

  @Test
  void allOfThemTogetherAreLimited() throws Exception {
    Path large = directory.resolve("large");
    Path small = Files.write(directory.resolve("small"), new byte[1]);
    try (RandomAccessFile one = new RandomAccessFile(large.toFile(), "rw");
        RandomAccessFile other = new RandomAccessFile(small.toFile(), "r")) {
      one.setLength(NamelessFiles.MAX_BYTES);
      assertThat(nameless.add(descriptors(large).get(0))).isEmpty();
      assertThat(nameless.add(descriptors(small).get(0)))
          .hasValueSatisfying(why -> assertThat(why).contains("has 1 bytes", "4194304 of all"));
      assertThat(other.read()).isEqualTo(0);
    }
  }
}
