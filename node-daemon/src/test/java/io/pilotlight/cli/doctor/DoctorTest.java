package io.pilotlight.cli.doctor;

import static io.pilotlight.cli.doctor.Finding.Verdict.LIMITED;
import static io.pilotlight.cli.doctor.Finding.Verdict.MISSING;
import static io.pilotlight.cli.doctor.Finding.Verdict.OK;
import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.engine.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DoctorTest {
  private static final String LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6";

  private static final String GROUP = "/sys/fs/cgroup/pilotlight.service/";

  @TempDir private Path root;

  @BeforeEach
  void aMachineThatWillDo() throws IOException {
    write("/proc/sys/kernel/osrelease", "6.1.0-13-amd64\n");
    write("/proc/self/maps", "7f00-7f01 r-xp 00000000 08:01 99    " + LIBC + "\n");
    write(LIBC, "\u0001\u0002GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n");
    status("0000000000000000");
    write("/proc/sys/kernel/yama/ptrace_scope", "1\n");
    write("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    write("/proc/sys/user/max_user_namespaces", "63000\n");
    write("/proc/self/cgroup", "0::/pilotlight.service\n");
    write(GROUP + "cgroup.controllers", "cpu memory pids\n");
    write(GROUP + "cgroup.type", "domain\n");
    write(GROUP + "cgroup.subtree_control", "\n");
    write(GROUP + "cgroup.procs", ProcessHandle.current().pid() + "\n");
    limits("1048576", "63000");
    write(
        "/proc/self/mountinfo",
        """
        22 1 0:20 / /proc rw,nosuid - proc proc rw
        30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
        """);
  }

  private void status(String capabilities) throws IOException {
    write(
        "/proc/self/status",
        "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t" + capabilities + "\nSeccomp:\t0\n");
  }

  private void limits(String files, String processes) throws IOException {
    write(
        "/proc/self/limits",
        """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             %s                   unlimited            processes
        Max open files            1024                 %s                   files
        """
            .formatted(processes, files));
  }

  private void write(String path, String text) throws IOException {
    Path file = root.resolve(path.substring(1));
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Function<Isolation, Optional<String>> obstacles = level -> Optional.empty();

  @Test
  void tellsTheHighestIsolationAndWhatTheNextWouldNeed() {
    assertThat(finding("isolation").found()).isEqualTo("up to 'sandbox'");

    obstacles =
        level -> level == Isolation.SANDBOX ? Optional.of("a step; its remedy") : Optional.empty();
    assertThat(finding("isolation").verdict()).isEqualTo(LIMITED);
    assertThat(finding("isolation").found()).isEqualTo("up to 'process'");
    assertThat(finding("isolation").advice()).contains("'sandbox'", "a step; its remedy");
  }

  private Finding finding(String check) {
    return new Doctor(new HostFiles(root), Map.of(), obstacles)
        .examine().stream().filter(one -> one.check().equals(check)).findFirst().orElseThrow();
  }

  @Test
  void findsNothingMissingOnAMachineThatWillDo() {
    assertThat(new Doctor(new HostFiles(root), Map.of(), obstacles).examine())
        .extracting(Finding::verdict)
        .doesNotContain(MISSING);
    assertThat(finding("C library").found()).isEqualTo("glibc 2.36");
    assertThat(finding("JDK").found()).contains(System.getProperty("java.home"), "Serial");
  }

  @ParameterizedTest
  @CsvSource({
    "6.12.3,         OK",
    "5.14.0-427.el9, OK",
    "5.13.19,        MISSING",
    "4.18.0,         MISSING",
  })
  void judgesTheKernel(String release, Finding.Verdict verdict) throws IOException {
    write("/proc/sys/kernel/osrelease", release);

    assertThat(finding("kernel").verdict()).isEqualTo(verdict);
  }

  @Test
  void refusesMuslAndAnOldLibrary() throws IOException {
    write(LIBC, "GNU C Library (Ubuntu GLIBC 2.31-0ubuntu9) stable release version 2.31.\n");
    assertThat(finding("C library").verdict()).isEqualTo(MISSING);

    write("/proc/self/maps", "7f00-7f01 r-xp 00000000 08:01 99   /lib/ld-musl-x86_64.so.1\n");
    assertThat(finding("C library").found()).isEqualTo("musl");
  }

  @Test
  void needsACapabilityWhereYamaSaysSo() throws IOException {
    write("/proc/sys/kernel/yama/ptrace_scope", "2\n");
    assertThat(finding("ptrace").verdict()).isEqualTo(MISSING);

    status("0000000000080000");
    assertThat(finding("ptrace").verdict()).isEqualTo(OK);
  }

  @Test
  void saysWhatACapabilityWouldGive() throws IOException {
    assertThat(finding("user").verdict()).isEqualTo(LIMITED);

    status("0000010000000000");
    assertThat(finding("user").verdict()).isEqualTo(OK);
  }

  @Test
  void judgesTheLimitsThatCount() throws IOException {
    assertThat(finding("open files")).isEqualTo(Finding.ok("open files", "1048576"));

    limits("1024", "200");
    assertThat(finding("open files").verdict()).isEqualTo(LIMITED);
    assertThat(finding("processes").advice()).contains("ulimit -u");
  }

  @Test
  void toleratesFilesThatAreNotThere() throws IOException {
    write("/proc/self/status", "");
    Files.delete(root.resolve("proc/self/mountinfo"));
    Files.delete(root.resolve("proc/self/cgroup"));

    assertThat(finding("control groups").verdict()).isEqualTo(LIMITED);
    assertThat(finding("user").found()).isEqualTo("uid ?, CapEff unknown");
  }
}
