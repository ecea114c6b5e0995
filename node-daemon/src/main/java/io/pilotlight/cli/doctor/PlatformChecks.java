package io.pilotlight.cli.doctor;

import io.pilotlight.linux.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Processor, kernel, C library: what no setting can change. */
final class PlatformChecks {
  private static final Pattern GLIBC =
      Pattern.compile("GNU C Library[^\\n]{0,80}? version (\\d+\\.\\d+)");
  private static final Pattern LIBC_PATH =
      Pattern.compile("(/\\S*/(?:libc\\.so\\.6|libc-[\\d.]+\\.so))$");

  /** The first with MADV_COLLAPSE. */
  private static final String COLLAPSE_KERNEL = "6.1";

  private final HostFiles files;
  private final String osName;
  private final String architecture;

  PlatformChecks(HostFiles files, String osName, String architecture) {
    this.files = files;
    this.osName = osName;
    this.architecture = architecture;
  }

  List<Finding> run() {
    return List.of(architecture(), kernel(), libc(), shadowStack(), collapse(), overcommit());
  }

  private Finding architecture() {
    String found = osName + " " + architecture;
    return osName.equals("Linux") && architecture.equals("amd64")
        ? Finding.ok("platform", found)
        : Finding.missing("platform", found, "Pilotlight runs on Linux, x86-64, only");
  }

  private Finding kernel() {
    String found = files.text("/proc/sys/kernel/osrelease").orElse("unknown");
    return Platform.atLeast(Platform.MINIMUM_KERNEL, found)
        ? Finding.ok("kernel", found)
        : Finding.missing(
            "kernel", found, "Linux " + Platform.MINIMUM_KERNEL + " or later is needed");
  }

  private Finding libc() {
    List<String> maps = files.lines("/proc/self/maps");
    if (maps.stream().anyMatch(line -> line.contains("/ld-musl-"))) {
      return Finding.missing(
          "C library",
          "musl",
          "use a distribution with glibc "
              + Platform.MINIMUM_GLIBC
              + " or later, and a JDK for it");
    }
    Optional<String> version =
        maps.stream()
            .map(LIBC_PATH::matcher)
            .filter(Matcher::find)
            .map(matcher -> matcher.group(1))
            .findFirst()
            .flatMap(this::glibcVersion);
    String found = "glibc " + version.orElse("(unknown version)");
    return Platform.atLeast(Platform.MINIMUM_GLIBC, version.orElse(""))
        ? Finding.ok("C library", found)
        : Finding.missing(
            "C library", found, "glibc " + Platform.MINIMUM_GLIBC + " or later is needed");
  }

  /** The library says its version in a string of its own, which needs no process to read. */
  private Optional<String> glibcVersion(String libc) {
    try {
      String bytes = new String(Files.readAllBytes(files.path(libc)), StandardCharsets.ISO_8859_1);
      Matcher matcher = GLIBC.matcher(bytes);
      return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private Finding shadowStack() {
    String features = files.field("/proc/self/status", "x86_Thread_features").orElse("");
    return features.contains("shstk")
        ? Finding.missing(
            "shadow stack", "on", "start the daemon with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off")
        : Finding.ok("shadow stack", "off");
  }

  private Finding collapse() {
    String release = files.text("/proc/sys/kernel/osrelease").orElse("");
    boolean kernel = Platform.atLeast(COLLAPSE_KERNEL, release);
    boolean huge = files.exists("/sys/kernel/mm/transparent_hugepage");
    if (kernel && huge) {
      return Finding.ok("huge pages", "MADV_COLLAPSE");
    }
    return Finding.limited(
        "huge pages",
        huge ? "no MADV_COLLAPSE" : "none",
        "each fork copies more page tables, some milliseconds; Linux "
            + COLLAPSE_KERNEL
            + " or later with transparent huge pages avoids that");
  }

  private Finding overcommit() {
    String mode = files.text("/proc/sys/vm/overcommit_memory").orElse("0");
    return mode.equals("2")
        ? Finding.limited(
            "overcommit",
            "mode 2 (never)",
            "each clone counts with its zygote's whole memory: sysctl vm.overcommit_memory=0")
        : Finding.ok("overcommit", "mode " + mode);
  }
}
