package io.pilotlight.it.program;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.ManagedProgram;
import io.pilotlight.it.support.ManagedProgram.Place;
import io.pilotlight.it.support.ProcessTable;
import io.pilotlight.it.support.TestJvm;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An application of Spring Boot, frozen before it serves and while it does. */
final class SpringIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final int KILLED = 128 + 9;
  private static final int TERMINATED = 128 + 15;
  private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+) ");

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<ManagedProgram> started = new ArrayList<>();
  private Path directory;
  private Path image;
  private String jar;
  private Place here;

  @BeforeEach
  void prepare() throws Exception {
    directory = Files.createTempDirectory("pilotlight-spring-");
    image = directory.resolve("image");
    Path installation = DaemonProcess.Setup.on(directory).installation();
    here = new Place(installation.resolve("pilotlight.jar"), List.of(), directory);
    jar = Files.copy(TestJvm.example("spring"), directory.resolve("spring.jar")).toString();
  }

  @AfterEach
  void end() throws Exception {
    for (ManagedProgram program : started) {
      program.end();
    }
    Eventually.holds(
        "no application is left", () -> ProcessTable.withArgument(jar::equals).isEmpty());
    FileTree.delete(directory);
  }

  private ManagedProgram start(String... arguments) throws Exception {
    ManagedProgram program = here.start(Map.of(), arguments);
    started.add(program);
    return program;
  }

  /** With port 0 each process has one of its own, a restored one too: it listens anew. */
  private ManagedProgram run(List<String> options, String... jvmArguments) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("run"));
    arguments.addAll(options);
    arguments.addAll(List.of("--", TestJvm.tool("java").toString(), "-XX:TieredStopAtLevel=1"));
    arguments.addAll(List.of(jvmArguments));
    arguments.addAll(List.of("-jar", jar, "--server.address=127.0.0.1", "--server.port=0"));
    return start(arguments.toArray(new String[0]));
  }

  /** The port that it says it serves, the last time it says so. */
  private static int port(ManagedProgram application) throws Exception {
    return Eventually.get(
        "the port of " + application,
        () -> {
          Matcher line = PORT.matcher(application.out());
          Integer port = null;
          while (line.find()) {
            port = Integer.valueOf(line.group(1));
          }
          return port;
        });
  }

  private void serves(ManagedProgram application, String name) throws Exception {
    URI uri =
        URI.create("http://127.0.0.1:%d/greetings?name=%s".formatted(port(application), name));
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(uri).timeout(TIMEOUT).build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    assertThat(answer.body()).isEqualTo("{\"greeting\":\"Hello, %s\"}".formatted(name));
  }

  private void ends(ManagedProgram application) throws Exception {
    application.command().destroy();
    assertThat(application.awaitEnd()).as(application.toString()).isEqualTo(TERMINATED);
    assertThat(application.err()).isEmpty();
  }

  @Test
  void isFrozenBySpringBeforeItServes() throws Exception {
    ManagedProgram application =
        run(List.of("--image", image.toString()), "-Dspring.context.checkpoint=onRefresh");
    assertThat(application.awaitEnd()).as(application.toString()).isEqualTo(KILLED);
    assertThat(application.out()).doesNotContain("Tomcat started");

    ManagedProgram one = start("restore", image.toString());
    ManagedProgram other = start("restore", image.toString());
    serves(one, "one");
    serves(other, "other");
    assertThat(port(one)).isNotEqualTo(port(other));
    ends(one);
    serves(other, "still");
    ends(other);
  }

  @Test
  void isFrozenWhileItServes() throws Exception {
    ManagedProgram application = run(List.of());
    serves(application, "first");
    String pid = Long.toString(application.command().pid());
    ManagedProgram kept = start("checkpoint", pid, "--image", image.toString(), "--keep-running");
    assertThat(kept.awaitEnd()).as(kept.toString()).isEqualTo(0);
    Eventually.holds(
        "it serves again", () -> PORT.matcher(application.out()).results().count() == 2);
    serves(application, "second");

    Path later = directory.resolve("later");
    ManagedProgram taken = start("checkpoint", pid, "--image", later.toString());
    assertThat(taken.awaitEnd()).as(taken.toString()).isEqualTo(0);
    assertThat(application.awaitEnd()).as(application.toString()).isEqualTo(KILLED);

    for (Path each : List.of(image, later, later)) {
      ManagedProgram restored = start("restore", each.toString());
      serves(restored, "restored");
      ends(restored);
    }
  }
}
