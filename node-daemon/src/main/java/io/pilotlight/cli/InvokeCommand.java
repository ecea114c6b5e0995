package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight invoke}: calls a function. */
@Command(
    name = "invoke",
    description = "Calls a function; prints its answer on stdout, how it started on stderr.")
final class InvokeCommand implements Callable<Integer> {
  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "NAME", description = "The function's name.")
  private String name = "";

  @Option(
      names = "--data",
      paramLabel = "JSON|@FILE|-",
      defaultValue = "{}",
      description = "The event: as it is, from a file, or from stdin (default: ${DEFAULT-VALUE}).")
  private String data = "";

  @Option(
      names = "--start",
      defaultValue = "auto",
      description = "${COMPLETION-CANDIDATES}: how to get a process (default: ${DEFAULT-VALUE}).")
  private Start start = Start.AUTO;

  @Override
  public Integer call() throws CliException {
    byte[] payload = payload(data);
    DaemonClient.Answer answer = daemon.client().invoke(name, payload, start);
    JsonNode body = parsed(answer.body());
    ObjectNode document = new ObjectMapper().createObjectNode();
    document.put("start", answer.start());
    document.put("startSeconds", answer.startSeconds());
    document.put("handlerSeconds", answer.handlerSeconds());
    document.put("clone", answer.cloneId());
    document.set("answer", body);
    if (!output.json()) {
      output.note(
          "start %s %s, handler %s, clone %s"
              .formatted(
                  answer.start(),
                  Units.duration(answer.startSeconds()),
                  Units.duration(answer.handlerSeconds()),
                  answer.cloneId()));
    }
    output.print(document, () -> new String(answer.body(), StandardCharsets.UTF_8));
    return 0;
  }

  /** The bytes that an option value of the form {@code JSON|@FILE|-} stands for. */
  static byte[] payload(String data) throws CliException {
    try {
      if (data.equals("-")) {
        return System.in.readAllBytes();
      }
      return data.startsWith("@")
          ? Files.readAllBytes(Path.of(data.substring(1)))
          : data.getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new CliException("--data '" + data + "' cannot be read: " + e);
    }
  }

  /** A handler may answer with any bytes; what is not JSON goes into the document as a string. */
  private static JsonNode parsed(byte[] body) {
    ObjectMapper mapper = new ObjectMapper();
    try {
      return mapper.readTree(body);
    } catch (IOException e) {
      return mapper.getNodeFactory().textNode(new String(body, StandardCharsets.UTF_8));
    }
  }
}
