package io.pilotlight.zygote;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * A Java program that is no function.
 *
 * @param command its command line as it was given; the first is the java launcher
 * @param directory its working directory
 * @param javaHome the JDK or JRE that runs it
 */
public record ProgramSpec(List<String> command, Path directory, Path javaHome)
    implements ImageSubject {
  private static final String JAR = "-jar";

  /** Copies the list. */
  public ProgramSpec {
    command = List.copyOf(command);
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(javaHome, "javaHome");
    if (command.isEmpty()) {
      throw new IllegalArgumentException("a program has a command line");
    }
  }

  /** Its jar's file name if it has one, else the last word that may be a class. */
  @Override
  @JsonIgnore
  public String name() {
    int jar = command.indexOf(JAR);
    if (jar >= 0 && jar + 1 < command.size()) {
      return String.valueOf(Path.of(command.get(jar + 1)).getFileName());
    }
    return command.stream()
        .skip(1)
        .filter(word -> !word.startsWith("-"))
        .reduce(command.get(0), (first, second) -> second);
  }

  @Override
  @JsonIgnore
  public String version() {
    return "";
  }
}
