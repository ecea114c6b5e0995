package io.pilotlight.cli.program;

import io.pilotlight.cli.CliException;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.JvmCommand;
import io.pilotlight.zygote.ProgramSpec;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds out which JDK a command line starts. */
public final class JavaCommandLine {
  private static final String LAUNCHER = "java";

  private JavaCommandLine() {}

  /**
   * Of a command line as a shell takes it.
   *
   * @param command the java launcher and its arguments
   * @param searchPath the variable PATH, or null
   * @throws CliException if it starts something else, or a JDK that will not do
   */
  public static ProgramSpec program(
      List<String> command, Path directory, @Nullable String searchPath) throws CliException {
    Path launcher = find(command.get(0), directory, searchPath);
    Path bin = launcher.getParent();
    if (!String.valueOf(launcher.getFileName()).equals(LAUNCHER) || bin == null) {
      throw new CliException(
          "'"
              + command.get(0)
              + "' is "
              + launcher
              + ", and no java launcher: give the command line of the JVM itself, as in 'pilotlight"
              + " run -- java -jar app.jar'");
    }
    Path home = bin.resolveSibling("").normalize();
    List<String> resolved = new ArrayList<>(command);
    resolved.set(0, launcher.toString());
    ProgramSpec program = new ProgramSpec(resolved, directory, home);
    try {
      JvmCommand.check(program);
    } catch (BuildException e) {
      throw new CliException(String.valueOf(e.getMessage()));
    }
    return program;
  }

  private static Path find(String word, Path directory, @Nullable String searchPath)
      throws CliException {
    List<Path> candidates = new ArrayList<>();
    if (word.contains(File.separator)) {
      candidates.add(directory.resolve(word));
    } else if (searchPath != null) {
      for (String entry : searchPath.split(File.pathSeparator, -1)) {
        candidates.add(directory.resolve(entry).resolve(word));
      }
    }
    for (Path candidate : candidates) {
      if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
        try {
          return candidate.toRealPath();
        } catch (IOException e) {
          throw new CliException(candidate + " cannot be looked at: " + e);
        }
      }
    }
    throw new CliException(
        "there is no program '"
            + word
            + "'"
            + (word.contains(File.separator) ? "" : " in PATH (" + searchPath + ")"));
  }
}
