package io.pilotlight.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code pilotlight} without a command: tells which there are. */
@Command(
    name = "pilotlight",
    description = "Starts JVM functions in milliseconds, by forking a warmed JVM.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = RootCommand.Version.class,
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:the operation failed; stderr says what, with which value, and what to do",
      "2:wrong usage of the command line"
    },
    subcommands = {
      DemoCommand.class,
      DoctorCommand.class,
      DaemonCommand.class,
      DeployCommand.class,
      InvokeCommand.class,
      FunctionsCommand.class,
      ZygotesCommand.class,
      ClonesCommand.class,
      DescribeCommand.class,
      RemoveCommand.class,
      WorkingSetCommand.class,
      RunCommand.class,
      CheckpointCommand.class,
      RestoreCommand.class,
      ImageCommand.class,
      BenchCommand.class,
      RehearseCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "'pilotlight test' (the launcher's own) runs everything that CI runs.",
      "PILOTLIGHT_DAEMON holds the daemon's address, if it is not http://127.0.0.1:7600;",
      "PILOTLIGHT_TOKEN_FILE and PILOTLIGHT_CA_CERT what is needed to be let in."
    })
final class RootCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it before run()
  private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing.");
  }

  /** The version of the jar. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = RootCommand.class.getPackage().getImplementationVersion();
      return new String[] {"pilotlight " + (version == null ? "(not from a jar)" : version)};
    }
  }
}
