package io.pilotlight.cli.doctor;

import io.pilotlight.engine.Isolation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Looks at this machine. */
public final class Doctor {
  private final PlatformChecks platform;
  private final ProcessChecks process;
  private final IsolationCheck isolation;
  private final JdkChecks jdks;

  /**
   * Looks at the machine whose files these are.
   *
   * @param files the kernel's files
   * @param environment this process's environment
   * @param obstacleTo what keeps functions from being isolated so; empty if nothing does
   */
  public Doctor(
      HostFiles files,
      Map<String, String> environment,
      Function<Isolation, Optional<String>> obstacleTo) {
    this.isolation = new IsolationCheck(obstacleTo);
    this.platform =
        new PlatformChecks(files, System.getProperty("os.name"), System.getProperty("os.arch"));
    this.process = new ProcessChecks(files);
    this.jdks = new JdkChecks(files, environment, Path.of(System.getProperty("java.home")));
  }

  /** Everything that was looked at. */
  public List<Finding> examine() {
    List<Finding> findings = new ArrayList<>(platform.run());
    findings.addAll(process.run());
    findings.add(isolation.run());
    findings.addAll(jdks.run());
    return findings;
  }
}
