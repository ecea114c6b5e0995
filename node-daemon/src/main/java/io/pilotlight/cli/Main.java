package io.pilotlight.cli;

import java.io.PrintWriter;
import picocli.CommandLine;

/** Where {@code java -jar pilotlight.jar} begins. */
public final class Main {
  private Main() {}

  /** Runs the command that the arguments name, and ends the process with its exit code. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
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
      PrintWriter err = command.getErr();
      err.println(command.getColorScheme().errorText("pilotlight: " + expected.getMessage()));
      for (String detail : expected.details()) {
        err.println("  " + detail);
      }
      err.flush();
      return CommandLine.ExitCode.SOFTWARE;
    }
    throw failure;
  }
}
