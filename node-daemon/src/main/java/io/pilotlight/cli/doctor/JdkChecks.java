package io.pilotlight.cli.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The Java installations of this machine, and which of their collectors a zygote can have. */
final class JdkChecks {
  private static final List<String> COLLECTORS = List.of("Serial", "Parallel", "G1", "Shenandoah");
  private static final int OLDEST = 17;

  private final HostFiles files;
  private final Map<String, String> environment;
  private final Path own;

  JdkChecks(HostFiles files, Map<String, String> environment, Path own) {
    this.files = files;
    this.environment = environment;
    this.own = own;
  }

  List<Finding> run() {
    List<Finding> findings = new ArrayList<>();
    boolean usable = false;
    for (Path home : homes()) {
      Finding finding = check(home);
      usable |= finding.verdict() == Finding.Verdict.OK;
      findings.add(finding);
    }
    if (!usable) {
      findings.add(
          Finding.missing("JDK", "none that will do", "apt-get install openjdk-17-jdk-headless"));
    }
    return findings;
  }

  private Set<Path> homes() {
    List<Path> candidates = new ArrayList<>(List.of(own));
    String javaHome = environment.get("JAVA_HOME");
    if (javaHome != null && !javaHome.isEmpty()) {
      candidates.add(Path.of(javaHome));
    }
    candidates.addAll(files.list("/usr/lib/jvm"));
    for (String directory : environment.getOrDefault("PATH", "").split(":", -1)) {
      Path java = Path.of(directory, "java");
      if (!directory.isEmpty() && Files.isExecutable(java)) {
        candidates.add(real(java).resolve("../..").normalize());
        break;
      }
    }
    Set<Path> homes = new LinkedHashSet<>();
    for (Path candidate : candidates) {
      if (Files.isExecutable(candidate.resolve("bin/java"))) {
        homes.add(real(candidate));
      }
    }
    return homes;
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path;
    }
  }

  private Finding check(Path home) {
    List<String> release = release(home);
    String version = property(release, "JAVA_VERSION");
    String found = (version.isEmpty() ? "unknown version" : version) + " in " + home;
    if (property(release, "LIBC").equals("musl")) {
      return Finding.limited("JDK", found, "made for musl: not used");
    }
    if (feature(version) < OLDEST) {
      return Finding.limited("JDK", found, "older than " + OLDEST + ": not used");
    }
    List<String> collectors = collectors(home);
    return collectors.isEmpty()
        ? Finding.limited("JDK", found, "does not start: not used")
        : Finding.ok("JDK", found + " (" + String.join(", ", collectors) + ")");
  }

  /** 0 if it is no version. */
  private static int feature(String version) {
    try {
      return Runtime.Version.parse(version).feature();
    } catch (IllegalArgumentException e) {
      return 0;
    }
  }

  private static List<String> release(Path home) {
    try {
      return Files.readAllLines(home.resolve("release"));
    } catch (IOException e) {
      return List.of();
    }
  }

  private static String property(List<String> release, String name) {
    return release.stream()
        .filter(line -> line.startsWith(name + "="))
        .map(line -> line.substring(name.length() + 1).replace("\"", ""))
        .findFirst()
        .orElse("");
  }

  /** A JVM lists the flags of the collectors that it was built with; empty if it does not start. */
  private static List<String> collectors(Path home) {
    ProcessBuilder java =
        new ProcessBuilder(home.resolve("bin/java").toString(), "-XX:+PrintFlagsFinal", "-version");
    java.redirectError(ProcessBuilder.Redirect.DISCARD);
    try {
      Process process = java.start();
      process.getOutputStream().close();
      String flags =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      return COLLECTORS.stream().filter(name -> flags.contains(" Use" + name + "GC ")).toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
