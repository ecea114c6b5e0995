package io.pilotlight.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.agent.wire.Frame;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The agent's jar in a JVM of its own. */
@Timeout(120)
class FunctionHostIT {
  @TempDir static Path directory;
  private static FunctionJars jars;

  @BeforeAll
  static void pack() throws Exception {
    jars = FunctionJars.in(directory);
  }

  private static HostProcess host(String handler, String... jvmArguments) throws Exception {
    HostProcess host = HostProcess.start(directory, jvmArguments);
    Frame answer = host.ask(jars.init("functions." + handler));
    assertThat(answer).as(host.output()).isInstanceOf(Frame.Ready.class);
    return host;
  }

  private static String text(Frame frame) {
    assertThat(frame).isInstanceOf(Frame.Result.class);
    return new String(((Frame.Result) frame).payload(), UTF_8);
  }

  @Test
  void aFunctionIsServedQuiescedRenewedAndStopped() throws Exception {
    try (HostProcess host = host("AwsHandlers$ContextHandler")) {
      assertThat(text(host.invoke("{}"))).contains("\"requestId\":\"request-1\"");
      assertThat(host.output()).contains("as text\nas bytes\n[WARN] with level\n");
      assertThat(host.ask(new Frame.Quiesce())).isEqualTo(new Frame.Quiesced(List.of()));
      host.tell(new Frame.Renew("clone-1"));
      assertThat(text(host.invoke("{}"))).contains("[$LATEST]clone-1\"");
      host.tell(new Frame.Stop());
      assertThat(host.exitStatus()).isZero();
    }
  }

  @Test
  void aStopRunsShutdownHooksAndLooksForNoLogger() throws Exception {
    Path log = directory.resolve("stop.log");
    try (HostProcess host = HostProcess.start(directory, "-Xlog:class+load:file=" + log)) {
      assertThat(host.ask(jars.init("functions.PlainHandlers::hooked")))
          .isInstanceOf(Frame.Ready.class);
      assertThat(text(host.invoke("\"bye\""))).isEqualTo("\"bye\"");
      host.tell(new Frame.Stop());
      assertThat(host.exitStatus()).isZero();
      assertThat(host.output()).contains("hook: bye\n");
    }
    assertThat(Files.readString(log)).doesNotContain("java.lang.System$Logger");
  }

  @Test
  void answersTellWhetherAnOrderlyEndWouldRunAnything() throws Exception {
    assertThat(hooksAfter("PlainHandlers::twice", "1")).isFalse();
    assertThat(hooksAfter("PlainHandlers::hooked", "\"bye\"")).isTrue();
    assertThat(hooksAfter("PlainHandlers::deleting", "\"nothing\"")).isTrue();
  }

  private boolean hooksAfter(String handler, String payload) throws Exception {
    try (HostProcess host = host(handler)) {
      return ((Frame.Result) host.invoke(payload)).hooks();
    }
  }

  @Test
  void secretsAreVariablesFromThenOn() throws Exception {
    try (HostProcess host = host("PlainHandlers::variable")) {
      assertThat(text(host.invoke("\"PASSWORD\""))).isEqualTo("\"null,null,\"");
      assertThat(host.ask(new Frame.Quiesce())).isInstanceOf(Frame.Quiesced.class);
      assertThat(text(host.invoke("\"PILOTLIGHT_REHEARSAL\""))).isEqualTo("\"null,null,\"");
      host.tell(new Frame.Renew("clone-1"));
      host.tell(new Frame.Secrets(Map.of("PASSWORD", "s3cret")));
      assertThat(text(host.invoke("\"PASSWORD\""))).isEqualTo("\"s3cret,s3cret,s3cret\"");
      assertThat(host.output()).doesNotContain("s3cret");
    }
  }

  @Test
  void aFunctionSeesTheCompatibilityPackageAndNothingElseOfTheAgent() throws Exception {
    try (HostProcess host = host("CracHandlers::visible")) {
      assertThat(
              text(
                  host.invoke(
                      "[\"io.pilotlight.crac.Core\",\"io.pilotlight.crac.Resource\","
                          + "\"io.pilotlight.agent.FunctionHost\","
                          + "\"io.pilotlight.agent.wire.Frame\","
                          + "\"io.pilotlight.agent.crac.Checkpoint\"]")))
          .isEqualTo(
              "[\"io.pilotlight.crac.Core of the boot loader\","
                  + "\"io.pilotlight.crac.Resource of the boot loader\"]");
      // Not even a warning that classes are shared no more, as of -Xbootclasspath/a.
      assertThat(host.output()).isEmpty();
    }
  }

  @Test
  void resourcesAreToldOnceBeforeTheFreezeAndOnceInTheClone() throws Exception {
    try (HostProcess host = host("CracHandlers$Registered")) {
      assertThat(text(host.invoke("\"warm\""))).isEqualTo("[]");
      assertThat(host.ask(new Frame.Quiesce())).isEqualTo(new Frame.Quiesced(List.of()));
      assertThat(text(host.invoke("\"settle\""))).isEqualTo("[]");
      assertThat(host.ask(new Frame.Checkpoint())).isEqualTo(new Frame.Checkpointed(List.of()));
      host.tell(new Frame.Renew("clone-1"));
      assertThat(text(host.invoke("\"first\""))).isEqualTo("[\"before\",\"after\"]");
      assertThat(text(host.invoke("\"second\""))).isEqualTo("[\"before\",\"after\"]");
    }
  }

  @Test
  void aJdkWithCracOfItsOwnIsLeftAlone() throws Exception {
    Path patch = Files.createDirectories(directory.resolve("patch/jdk/crac"));
    Path source = directory.resolve("Core.java");
    Files.writeString(source, "package jdk.crac; public class Core {}");
    Process compiler =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "javac").toString(),
                "--release",
                "17",
                "-d",
                directory.resolve("patch").toString(),
                source.toString())
            .inheritIO()
            .start();
    assertThat(compiler.waitFor()).isZero();
    assertThat(patch.resolve("Core.class")).exists();
    assertLeftAlone(
        "this JDK has CRaC of its own",
        "--patch-module",
        "java.base=" + directory.resolve("patch"));
  }

  @Test
  void anImplementationThatTheFunctionChoseIsLeftAlone() throws Exception {
    assertLeftAlone("-Dorg.crac.Core.Compat=com.example", "-Dorg.crac.Core.Compat=com.example");
  }

  /** Its resources are told of nothing, and its owner is told of that. */
  private void assertLeftAlone(String reason, String... jvmArguments) throws Exception {
    try (HostProcess host = host("CracHandlers$Registered", jvmArguments)) {
      Frame.Checkpointed checkpointed = (Frame.Checkpointed) host.ask(new Frame.Checkpoint());
      assertThat(checkpointed.notes())
          .singleElement()
          .asString()
          .contains(reason, "its resources are not told");
      host.tell(new Frame.Renew("clone-1"));
      assertThat(text(host.invoke("\"first\""))).isEqualTo("[]");
    }
  }

  @Test
  void quiescingLeavesNeitherThreadNorSocketBehind() throws Exception {
    try (HostProcess host = host("PlainHandlers::twice")) {
      List<String> descriptors = host.descriptors();
      List<String> threads = host.threads();
      assertThat(host.ask(new Frame.Quiesce())).isEqualTo(new Frame.Quiesced(List.of()));
      // Clones read what they are renewed with from there, and save the opening.
      assertThat(host.descriptors())
          .filteredOn(target -> !target.equals("/dev/urandom"))
          .containsExactlyInAnyOrderElementsOf(descriptors);
      assertThat(descriptors).filteredOn(target -> target.startsWith("socket:")).hasSize(1);
      // Compiler threads come and go as HotSpot sees fit.
      assertThat(host.threads())
          .filteredOn(name -> !name.contains("CompilerThre"))
          .containsExactlyInAnyOrderElementsOf(
              threads.stream().filter(name -> !name.contains("CompilerThre")).toList());
    }
  }

  @Test
  void aCloneLoadsNoClassThatItsZygoteHadNotLoaded() throws Exception {
    Path log = directory.resolve("classes.log");
    try (HostProcess host = host("AwsHandlers$OrderHandler", "-Xlog:class+load:file=" + log)) {
      host.invoke("{\"id\":\"a\",\"amount\":1}");
      host.ask(new Frame.Quiesce());
      List<String> before = Files.readAllLines(log);
      host.tell(new Frame.Renew("clone-1"));
      assertThat(text(host.invoke("{\"id\":\"b\",\"amount\":2}"))).contains("\"amount\":4");
      List<String> after = Files.readAllLines(log);
      assertThat(after.subList(before.size(), after.size())).isEmpty();
    }
  }

  // Each in a JVM of its own: AWS's library remembers the classes of one function for ever.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "SqsHandler|{\"Records\":[{\"body\":\"hi\",\"eventSourceARN\":\"arn:q\"}]}"
            + "|\"hi from arn:q\"",
        "S3Handler|{\"Records\":[{\"eventVersion\":\"2.1\",\"eventSource\":\"aws:s3\","
            + "\"awsRegion\":\"us-east-1\",\"eventTime\":\"2024-05-06T07:08:09.000Z\","
            + "\"eventName\":\"ObjectCreated:Put\",\"userIdentity\":{\"principalId\":\"P\"},"
            + "\"requestParameters\":{\"sourceIPAddress\":\"127.0.0.1\"},"
            + "\"responseElements\":{\"x-amz-request-id\":\"R\",\"x-amz-id-2\":\"I\"},"
            + "\"s3\":{\"s3SchemaVersion\":\"1.0\",\"configurationId\":\"C\","
            + "\"bucket\":{\"name\":\"b\",\"ownerIdentity\":{\"principalId\":\"P\"},"
            + "\"arn\":\"arn:aws:s3:::b\"},\"object\":{\"key\":\"a.jpg\",\"size\":1,"
            + "\"eTag\":\"e\",\"versionId\":\"v\",\"sequencer\":\"s\"}}}]}|\"a.jpg\"",
        "ScheduledHandler|{\"detail-type\":\"Tick\",\"time\":\"2024-05-06T07:08:09Z\"}"
            + "|\"Tick in 2024\"",
        "ApiHandler|{\"httpMethod\":\"GET\",\"headers\":{\"Accept\":\"text/html\"}}"
            + "|\"GET text/html\"",
        "RecordHandler|{\"id\":\"a\",\"amount\":4,\"states\":[\"OPEN\"]}"
            + "|{\"id\":\"a\",\"amount\":8,\"states\":[\"OPEN\"]}",
      })
  void eventsAreBoundAsAwsNamesTheirFields(String handler, String payload, String answer)
      throws Exception {
    try (HostProcess host = host("AwsHandlers$" + handler)) {
      Frame frame = host.invoke(payload);
      assertThat(frame.failureOrNull()).isNull();
      assertThat(text(frame)).isEqualTo(answer);
    }
  }

  @Test
  void aFaultNamesNothingOfTheAgent() throws Exception {
    try (HostProcess host = host("BadHandlers$Thrower")) {
      Frame.Fault fault = (Frame.Fault) host.invoke("{\"do\":\"throw\"}");
      assertThat(fault.failure().stackTrace())
          .isNotEmpty()
          .allMatch(line -> line.startsWith("functions.BadHandlers$Thrower."));
      fault = (Frame.Fault) host.invoke("{\"do\":");
      assertThat(fault.toString()).contains("JsonEOFException").doesNotContain("pilotlight");
      fault = (Frame.Fault) host.invoke("{\"do\":\"overflow\"}");
      assertThat(fault.failure().type()).isEqualTo("java.lang.StackOverflowError");
    }
  }

  @Test
  void fiveMebibytesPassBothWays() throws Exception {
    try (HostProcess host = host("PlainHandlers::copy")) {
      byte[] payload = new byte[5 << 20];
      Arrays.fill(payload, (byte) 'x');
      host.tell(new Frame.Invoke("r", 0, java.util.Map.of(), payload));
      assertThat(((Frame.Result) host.read()).payload()).isEqualTo(payload);
    }
  }

  @Test
  void anExitInTheFunctionIsTheProcessesExit() throws Exception {
    try (HostProcess host = host("BadHandlers$Thrower")) {
      assertThat(host.invoke("{\"do\":\"exit\"}")).isNull();
      assertThat(host.exitStatus()).isEqualTo(7);
    }
  }

  @Test
  void aThreadThatDiesIsReported() throws Exception {
    try (HostProcess host = host("BadHandlers$Thrower")) {
      assertThat(text(host.invoke("{\"do\":\"thread\"}"))).isEqualTo("\"started\"");
      assertThat(host.output())
          .contains("Uncaught in thread worker-1: java.lang.IllegalStateException: in the back");
    }
  }

  @Test
  void itEndsWhenTheDaemonIsGone() throws Exception {
    try (HostProcess host = host("PlainHandlers::twice")) {
      host.hangUp();
      assertThat(host.exitStatus()).isZero();
    }
  }

  @Test
  void itEndsWhenTheFunctionCannotBeHosted() throws Exception {
    try (HostProcess host = HostProcess.start(directory)) {
      Frame.Failed failed = (Frame.Failed) host.ask(jars.init("functions.BadHandlers$BadStatic"));
      assertThat(failed.phase()).isEqualTo(Frame.Phase.INITIALISATION);
      assertThat(failed.failure().stackTrace())
          .allMatch(line -> line.startsWith("functions.BadHandlers$BadStatic."));
      assertThat(host.exitStatus()).isEqualTo(1);
    }
  }
}
