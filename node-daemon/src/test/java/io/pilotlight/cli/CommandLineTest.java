package io.pilotlight.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class CommandLineTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final ObjectMapper json = new ObjectMapper();
  private FakeDaemon daemon;

  @BeforeEach
  void start() throws IOException {
    daemon = new FakeDaemon();
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  private int run(String... arguments) {
    CommandLine command = Main.commandLine();
    command.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    return command.execute(arguments);
  }

  private String uri() {
    return daemon.uri().toString();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ignite",
        "invoke",
        "invoke hello --start lukewarm",
        "deploy hello --handler a.B",
        "bench orders --throughput --soak 10",
      })
  void answersWrongUsageWithTwo(String line) {
    assertThat(run(line.isEmpty() ? new String[0] : line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).containsAnyOf("Usage: pilotlight", "Unmatched argument");
  }

  @Test
  void tellsTheExitCodes() {
    assertThat(run("deploy", "--help")).isZero();
    assertThat(out.toString()).contains("Exit codes:", "2   wrong usage");
  }

  @Test
  void saysHowToStartADaemonThatDoesNotRun() {
    daemon.close();

    assertThat(run("functions", "--daemon", uri())).isEqualTo(1);
    assertThat(err.toString())
        .contains("no daemon answers at " + uri(), "pilotlight daemon", "--daemon URL");
  }

  @Test
  void tellsAProblemWithItsDetails() {
    daemon.answer(
        "POST /v1/functions/hello/invocations",
        500,
        """
        {"type": "about:blank", "title": "The function threw", "status": 500, "detail": "a.B: no",
         "errorType": "a.B", "stackTrace": ["a.B.c(B.java:7)"], "cause": null}""");

    assertThat(run("invoke", "hello", "--daemon", uri())).isEqualTo(1);
    assertThat(err.toString().lines())
        .containsExactly(
            "pilotlight: The function threw (500): a.B: no",
            "  errorType: a.B",
            "  stackTrace:",
            "    a.B.c(B.java:7)");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void deploysWithAbsolutePathsAndOnlyWhatWasSaid(@TempDir Path directory) throws IOException {
    Path jar = Files.createFile(directory.resolve("a.jar"));
    Path event = Files.writeString(directory.resolve("event.json"), "{\"n\": 1}");
    Path secret = Files.writeString(directory.resolve("password"), "open sesame\n");
    daemon.answer(
        "PUT /v1/functions/hello",
        201,
        "{\"name\": \"hello\", \"version\": 1, \"state\": \"ready\", \"warnings\": [\"slow\"]}");

    int status =
        run(
            ("deploy hello --jar %s --handler a.B::c --env X=1 --env Y=a=b --one-shot --pool 3"
                    + " --warmup-payload %s --secret P=@%s --secret Q=x --jvm-arg -Xss1m --daemon %s")
                .formatted(jar, event, secret, uri())
                .split(" "));

    assertThat(status).isZero();
    assertThat(out.toString()).contains("hello version 1 is ready", "warning: slow");
    JsonNode sent = json.readTree(daemon.received("PUT /v1/functions/hello"));
    assertThat(sent)
        .isEqualTo(
            json.readTree(
                """
                {"jars": ["%s"], "layers": [], "handler": "a.B::c", "env": {"X": "1", "Y": "a=b"},
                 "oneShot": true, "pool": 3, "warmupPayloads": [{"n": 1}],
                 "secrets": {"P": "open sesame", "Q": "x"}, "jvmArgs": ["-Xss1m"]}"""
                    .formatted(jar)));
  }

  @Test
  void refusesAJarThatIsNotThere() {
    assertThat(run("deploy", "f", "--jar", "/no/such.jar", "--handler", "a.B", "--daemon", uri()))
        .isEqualTo(1);
    assertThat(err.toString()).contains("--jar '/no/such.jar': there is no such file");
  }

  @Test
  void printsOneDocumentForAnInvocation() throws IOException {
    daemon.answer(
        "POST /v1/functions/hello/invocations",
        200,
        Map.of(
            "Pilotlight-Start-Seconds", "0.0021",
            "Pilotlight-Handler-Seconds", "0.0001",
            "Pilotlight-Clone", "c-7"),
        "{\"message\": \"Hello\"}");

    assertThat(run("invoke", "hello", "--start", "fork", "--json", "--daemon", uri())).isZero();

    assertThat(json.readTree(out.toString()))
        .isEqualTo(
            json.readTree(
                """
                {"start": "fork", "startSeconds": 0.0021, "handlerSeconds": 0.0001, "clone": "c-7",
                 "answer": {"message": "Hello"}}"""));
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void readsThePayloadFromAFile(@TempDir Path directory) throws IOException {
    Path event = Files.writeString(directory.resolve("event.json"), "{\"name\": \"Ada\"}");
    daemon.answer("POST /v1/functions/hello/invocations", 200, "\"Hello\"");

    assertThat(run("invoke", "hello", "--data", "@" + event, "--daemon", uri())).isZero();

    assertThat(daemon.received("POST /v1/functions/hello/invocations"))
        .isEqualTo("{\"name\": \"Ada\"}");
    assertThat(out.toString().strip()).isEqualTo("\"Hello\"");
  }

  @Test
  void printsATableOfFunctions() {
    daemon.answer(
        "GET /v1/functions",
        200,
        "{\"functions\": [{\"name\": \"hello\", \"version\": 3, \"state\": \"ready\"}]}");

    assertThat(run("functions", "--daemon", uri())).isZero();
    assertThat(out.toString()).startsWith("name ").contains("hello  3 ", "ready");
  }

  @Test
  void refusesAnAddressThatIsNone() {
    assertThat(run("functions", "--daemon", "localhost:1")).isEqualTo(1);
    assertThat(err.toString()).contains("'localhost:1' is not an address such as http://");
  }

  @Test
  void benchesKnownExamplesOnlyWhenStandalone() {
    assertThat(run("bench", "nothing", "--standalone")).isEqualTo(1);
    assertThat(err.toString()).contains("no example 'nothing'", "[hello, orders, thumbnail]");
  }
}
