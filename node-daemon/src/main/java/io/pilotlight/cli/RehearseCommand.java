package io.pilotlight.cli;

import io.pilotlight.cli.program.Rehearsed;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * What the launcher has the JVM run once to archive the classes of {@code run} and {@code restore}:
 * it runs a program that is frozen, and restores it, in this process.
 */
@Command(
    name = "rehearse",
    hidden = true,
    description = "Freezes a small program and restores it, for an archive of this JVM's classes.")
final class RehearseCommand implements Callable<Integer> {
  private static final int KILLED = 137;

  @Override
  public Integer call() throws CliException {
    try (TemporaryDirectory directory = TemporaryDirectory.create("pilotlight-rehearsal-")) {
      String image = directory.path().resolve("image").toString();
      String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
      String jar = Installation.jar().toString();
      String program = Rehearsed.class.getName();
      int status =
          Main.execute("run", "--image", image, "--", java, "-Xmx32m", "-cp", jar, program);
      if (status != KILLED) {
        throw new CliException("the rehearsal's program ended with " + status + ", without image");
      }
      return Main.execute("restore", image);
    }
  }
}
