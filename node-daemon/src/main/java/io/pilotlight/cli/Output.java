package io.pilotlight.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintWriter;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How a command prints its result: for people, or as one JSON document. */
final class Output {
  @Option(names = "--json", description = "Print one JSON document.")
  private boolean json;

  @Spec(Target.MIXEE)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec command;

  /** Whether the result is for a program. */
  boolean json() {
    return json;
  }

  /** Prints the result: the document, or the text that is made of it for people. */
  void print(JsonNode document, Supplier<String> text) {
    PrintWriter out = command.commandLine().getOut();
    out.println(json ? pretty(document) : text.get().stripTrailing());
    out.flush();
  }

  /** Prints a line for people; nothing with {@code --json}. */
  void line(String line) {
    if (!json) {
      always(line);
    }
  }

  /** Prints a line, whoever reads it. */
  void always(String line) {
    PrintWriter out = command.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  /** Prints a line on stderr. */
  void note(String line) {
    PrintWriter err = command.commandLine().getErr();
    err.println(line);
    err.flush();
  }

  /** The document, indented. */
  static String pretty(JsonNode document) {
    try {
      return new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a JSON tree cannot be written", e);
    }
  }
}
