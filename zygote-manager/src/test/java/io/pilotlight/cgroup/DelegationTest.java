package io.pilotlight.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.cgroup.Delegation.Absent;
import io.pilotlight.cgroup.Delegation.Legacy;
import io.pilotlight.cgroup.Delegation.Unified;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On trees of files that look like machines. */
final class DelegationTest {
  private static final long SELF = 4711;
  private static final String UNIFIED =
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

  @TempDir private Path root;

  @Test
  void aServiceOfItsOwnInV2() throws IOException {
    unified("/system.slice/pilotlight.service", "cpuset cpu io memory pids", "4711\n");
    assertThat(look(path -> true))
        .isEqualTo(
            new Unified(
                root.resolve("sys/fs/cgroup/system.slice/pilotlight.service"),
                Set.of(Controller.MEMORY, Controller.PIDS, Controller.CPU),
                false));
  }

  @Test
  void aUsersServiceMayBeWithoutProcessorTime() throws IOException {
    unified("/user.slice/a.scope", "memory pids", "4711\n");
    assertThat(((Unified) look(path -> true)).controllers())
        .containsExactlyInAnyOrder(Controller.MEMORY, Controller.PIDS);
  }

  @Test
  void aShellsScopeHoldsOthers() throws IOException {
    unified("/user.slice/session-1.scope", "cpu memory pids", "17\n4711\n");
    assertThat(((Absent) look(path -> true)).why()).contains("other processes", "session-1.scope");
    assertThat(((Absent) look(path -> true)).remedy()).contains("Delegate=yes");
  }

  @Test
  void anothersGroup() throws IOException {
    unified("/system.slice/a.service", "cpu memory pids", "4711\n");
    assertThat(((Absent) look(path -> !path.endsWith("cgroup.procs"))).why())
        .contains("does not belong to this user");
  }

  @Test
  void controllersThatWereNotPassedOn() throws IOException {
    unified("/user.slice/a.scope", "cpu io", "4711\n");
    assertThat(((Absent) look(path -> true)).why()).contains("'cpu io'", "memory, pids");
  }

  /** The root has no type, and may hold processes beside groups. */
  @Test
  void rootOfV2() throws IOException {
    unified("/", "cpu memory pids", "1\n4711\n");
    Files.delete(root.resolve("sys/fs/cgroup/cgroup.type"));
    assertThat(look(path -> true))
        .isInstanceOfSatisfying(Unified.class, unified -> assertThat(unified.top()).isTrue());
  }

  /** A container sees its own group as the mount's root. */
  @Test
  void mountThatShowsAPartOnly() throws IOException {
    write("proc/self/cgroup", "0::/docker/1234/inner\n");
    write("proc/self/mountinfo", UNIFIED.replace("0:26 / ", "0:26 /docker/1234 "));
    group("sys/fs/cgroup/inner", "memory pids", "4711\n");
    assertThat(((Unified) look(path -> true)).own()).isEqualTo(root.resolve("sys/fs/cgroup/inner"));
  }

  @Test
  void v1BesideAnEmptyV2() throws IOException {
    legacy();
    assertThat(look(path -> true))
        .isEqualTo(
            new Legacy(
                Map.of(
                    Controller.MEMORY, root.resolve("sys/fs/cgroup/memory/a/b"),
                    Controller.PIDS, root.resolve("sys/fs/cgroup/pids"),
                    Controller.CPU, root.resolve("sys/fs/cgroup/cpu,cpuacct"))));
  }

  @Test
  void v1WhereProcessorTimeIsAnothers() throws IOException {
    legacy();
    assertThat(((Legacy) look(path -> !path.toString().contains("cpuacct"))).own())
        .containsOnlyKeys(Controller.MEMORY, Controller.PIDS);
  }

  @Test
  void v1OfRoot() throws IOException {
    legacy();
    assertThat(look(path -> false))
        .isInstanceOfSatisfying(
            Absent.class,
            absent -> {
              assertThat(absent.why()).contains("memory/a/b", "does not belong to this user");
              assertThat(absent.remedy()).contains("cgexec");
            });
  }

  @Test
  void nothingMounted() throws IOException {
    write("proc/self/cgroup", "0::/\n");
    write("proc/self/mountinfo", "22 1 0:20 / /proc rw,nosuid - proc proc rw\n");
    assertThat(((Absent) look(path -> true)).why()).contains("memory, pids");
    Files.delete(root.resolve("proc/self/cgroup"));
    assertThat(((Absent) look(path -> true)).why()).contains("cannot be read");
  }

  private Delegation look(Predicate<Path> writable) {
    return Delegation.of(root, writable, SELF);
  }

  private void unified(String group, String controllers, String members) throws IOException {
    write("proc/self/cgroup", "0::" + group + "\n");
    write("proc/self/mountinfo", UNIFIED);
    group("sys/fs/cgroup" + group, controllers, members);
  }

  private void group(String directory, String controllers, String members) throws IOException {
    write(directory + "/cgroup.controllers", controllers + "\n");
    write(directory + "/cgroup.procs", members);
    write(directory + "/cgroup.type", "domain\n");
  }

  private void legacy() throws IOException {
    write(
        "proc/self/cgroup",
        "8:pids:/\n4:memory:/a/b\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/init.scope\n");
    write(
        "proc/self/mountinfo",
        """
        31 23 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        32 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        33 23 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
        34 23 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
        """);
    group("sys/fs/cgroup/unified/init.scope", "", "1\n");
    for (String directory : Set.of("memory/a/b", "pids", "cpu,cpuacct")) {
      Files.createDirectories(root.resolve("sys/fs/cgroup").resolve(directory));
    }
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
