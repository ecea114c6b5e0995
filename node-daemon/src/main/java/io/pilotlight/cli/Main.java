package io.pilotlight.cli;

import io.pilotlight.cli.log.PlainLogging;
import io.pilotlight.cli.program.Restoration;
import io.pilotlight.cli.program.RestoreLine;
import java.io.PrintWriter;
import java.util.Optional;
import picocli.CommandLine;

/** Where {@code java -jar pilotlight.jar} begins. */
public final class Main {
  private Main() {}

  /** Runs the command that the arguments name, and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(execute(args));
  }

  /**
   * Runs one command. What restores a program has no time for picocli.
   *
   * @return its exit code
   */
  static int execute(String... args) {
    try {
      Installation.shortenNativeAccess();
      PlainLogging.useForWarnings();
      Optional<Restoration> restoration = RestoreLine.parse(args);
      if (restoration.isEmpty()) {
        return commandLine().execute(args);
      }
      return restoration.get().run(Installation.agent());
    } catch (CliException e) {
      return tell(e, commandLine());
    }
  }

  /** All commands, with failures told in one sentence on stderr. */
  static CommandLine commandLine() {
    return new CommandLine(new RootCommand())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(true)
        // An argument that begins with @ is a payload's file, not a file of arguments.
        .setExpandAtFiles(false)
        .setExecutionExceptionHandler(Main::report);
  }

  private static int report(
      Exception failure, CommandLine command, CommandLine.ParseResult arguments) throws Exception {
    if (failure instanceof CliException expected) {
      return tell(expected, command);
    }
    throw failure;
  }

  private static int tell(CliException failure, CommandLine command) {
    PrintWriter err = command.getErr();
    err.println(command.getColorScheme().errorText("pilotlight: " + failure.getMessage()));
    for (String detail : failure.details()) {
      err.println("  " + detail);
    }
    err.flush();
    return CommandLine.ExitCode.SOFTWARE;
  }
}
