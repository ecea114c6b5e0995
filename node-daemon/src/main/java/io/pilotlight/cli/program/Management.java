package io.pilotlight.cli.program;

import io.pilotlight.cli.CliException;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.descriptor.PolicyException;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.Program;
import io.pilotlight.zygote.Program.Checkpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is done for a program that runs, whether it was started or restored. */
public final class Management {
  private static final int SIGNAL_BASE = 128;

  @Option(
      names = "--image",
      paramLabel = "DIR",
      description =
          "Where the image is written when the program calls org.crac's Core.checkpointRestore().")
  private @Nullable Path image;

  @Option(
      names = "--keep-running",
      description = "The program goes on when its image is written; else it ends with status 137.")
  private boolean keepRunning;

  @Option(
      names = "--fd-policy",
      paramLabel = "FILE",
      description =
          "Rules about descriptors that are open at a checkpoint, in the format of CRaC's"
              + " jdk.crac.resource-policies.")
  private @Nullable Path descriptorPolicy;

  /** For picocli, which sets what was said. */
  public Management() {}

  /** With what was said. */
  Management(@Nullable Path image, boolean keepRunning, @Nullable Path descriptorPolicy) {
    this.image = image;
    this.keepRunning = keepRunning;
    this.descriptorPolicy = descriptorPolicy;
  }

  /** What its options say. */
  public Checkpoints checkpoints() throws CliException {
    return new Checkpoints(
        image == null ? null : image.toAbsolutePath().normalize(), keepRunning, policy());
  }

  private DescriptorPolicy policy() throws CliException {
    if (descriptorPolicy == null) {
      return DescriptorPolicy.NONE;
    }
    try {
      return DescriptorPolicy.parse(Files.readString(descriptorPolicy));
    } catch (IOException e) {
      throw new CliException("--fd-policy '" + descriptorPolicy + "' cannot be read: " + e);
    } catch (PolicyException e) {
      throw new CliException("--fd-policy '" + descriptorPolicy + "': " + e.getMessage());
    }
  }

  /**
   * Passes signals on to a program, and requests for checkpoints, until it ends.
   *
   * @param directory the runtime directory
   * @return its exit status, as shells give it: 128 and the signal's number if one ended it
   */
  public static int await(Program program, Path directory) throws CliException {
    SignalForwarding.start(program);
    ControlSocket control = ControlSocket.open(directory, program);
    try {
      ExitStatus status = program.exit().join();
      if (status instanceof ExitStatus.Exited exited) {
        return exited.code();
      }
      return status instanceof ExitStatus.Signalled signalled
          ? SIGNAL_BASE + signalled.signal()
          : 1;
    } finally {
      control.close();
    }
  }
}
