package io.pilotlight.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.cgroup.MachineMemory.Place;
import io.pilotlight.cgroup.MachineMemory.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On trees of files that look like machines, and on this one. */
final class MachineMemoryTest {
  private static final Place MACHINE = new Place("the machine", 3_000L << 10, 8_000L << 10);

  @TempDir private Path root;

  @BeforeEach
  void machine() throws IOException {
    write("proc/meminfo", "MemTotal:        8000 kB\nMemFree:  10 kB\nMemAvailable:    3000 kB\n");
    write("proc/self/mountinfo", "");
    write("proc/self/cgroup", "");
  }

  private void write(String file, String content) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }

  private Reading read() throws IOException {
    return MachineMemory.of(root).read();
  }

  @Test
  void aMachineWithoutGroupsAndPressure() throws IOException {
    assertThat(read().stalledPercent()).isEmpty();
    assertThat(read().places()).containsExactly(MACHINE);
  }

  @Test
  void pressureOfTheMachine() throws IOException {
    write(
        "proc/pressure/memory", "some avg10=12.34 avg60=1.00 avg300=0.00 total=1\nfull avg10=9\n");
    assertThat(read().stalledPercent()).hasValue(12.34);
  }

  @Test
  void aGroupOfV2AndItsParents() throws IOException {
    write("proc/pressure/memory", "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n");
    write("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
    write("proc/self/cgroup", "0::/a.slice/b.service\n");
    group("sys/fs/cgroup/a.slice", "memory.max", "1000000", "memory.current", "700000");
    write("sys/fs/cgroup/a.slice/memory.stat", "anon 5\ninactive_file 200000\n");
    group("sys/fs/cgroup/a.slice/b.service", "memory.max", "max", "memory.current", "600000");
    write(
        "sys/fs/cgroup/a.slice/b.service/memory.pressure", "some avg10=3.00 avg60=0.00 total=1\n");
    assertThat(read().stalledPercent()).as("the group's own").hasValue(3);
    Path limited = root.resolve("sys/fs/cgroup/a.slice");
    assertThat(read().places())
        .isEqualTo(List.of(MACHINE, new Place("control group " + limited, 500_000, 1_000_000)));
  }

  @Test
  void aGroupOfV1() throws IOException {
    write("proc/self/mountinfo", "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n");
    write("proc/self/cgroup", "4:memory:/box/inner\n");
    String box = "sys/fs/cgroup/memory/box";
    String limit = "memory.limit_in_bytes";
    group(box, limit, "9223372036854771712", "memory.usage_in_bytes", "10");
    group(box + "/inner", limit, "1000", "memory.usage_in_bytes", "1200");
    assertThat(read().places())
        .isEqualTo(
            List.of(MACHINE, new Place("control group " + root.resolve(box + "/inner"), 0, 1_000)));
  }

  private void group(String path, String limit, String most, String usage, String used)
      throws IOException {
    write(path + "/cgroup.procs", "");
    write(path + "/" + limit, most + "\n");
    write(path + "/" + usage, used + "\n");
  }

  @Test
  void thisMachine() throws IOException {
    Place machine = MachineMemory.here().read().places().get(0);
    assertThat(machine.totalBytes()).isGreaterThan(100L << 20);
    assertThat(machine.availableBytes()).isBetween(0L, machine.totalBytes());
  }
}
