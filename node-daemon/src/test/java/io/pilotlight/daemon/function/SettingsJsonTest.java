package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.Limits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SettingsJsonTest {
  private static final Path JVM = Path.of(System.getProperty("java.home"));

  private final ObjectMapper json = new ObjectMapper();
  private final SettingsJson settings =
      new SettingsJson(JVM, AllowedRoots.everywhere(), () -> Isolation.NONE);

  private DeployRequest read(String body) throws Exception {
    return settings.deployRequest(json.readTree(body));
  }

  @Test
  void everythingButJarAndHandlerHasADefault() throws Exception {
    DeployRequest request = read("{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\"}");
    FunctionSettings read = request.settings();
    assertThat(request.jars()).containsExactly(Path.of("/a.jar"));
    assertThat(read.limits()).isEqualTo(Limits.ofMemory(512));
    assertThat(read.timeoutSeconds()).isEqualTo(30);
    assertThat(read.initTimeoutSeconds()).isEqualTo(60);
    assertThat(read.oneShot()).isFalse();
    assertThat(read.pool()).isEqualTo(2);
    assertThat(read.concurrency()).isEqualTo(64);
    assertThat(read.idleSeconds()).isEqualTo(300);
    assertThat(read.warmup().payloads()).isEmpty();
    assertThat(read.jvm()).isEqualTo(JVM);
  }

  @Test
  void readsEveryField() throws Exception {
    DeployRequest request =
        read(
            """
            {"jars":["/a.jar","/b/../c.jar"],"layers":["/l.jar"],"handler":"a.B::c","env":{"K":"V"},
             "memoryMib":128,"cpus":1.25,"pidsLimit":32,"openFiles":64,"fileSizeMib":1,
             "maxAnswerBytes":2,"timeoutSeconds":1,"initTimeoutSeconds":2,"oneShot":true,
             "isolation":"none","network":false,"pool":0,"concurrency":1,"idleSeconds":0,
             "warmupPayloads":[{"n":1},null],"warmupCount":7,"warmupBudgetSeconds":8,
             "jvmArgs":["-Xss1m"]}
            """);
    assertThat(request.jars()).containsExactly(Path.of("/a.jar"), Path.of("/c.jar"));
    assertThat(request.layers()).containsExactly(Path.of("/l.jar"));
    assertThat(request.settings().environment()).isEqualTo(Map.of("K", "V"));
    assertThat(request.settings().limits()).isEqualTo(new Limits(128, 1_250, 32, 64, 1));
    assertThat(request.settings().maxAnswerBytes()).isEqualTo(2);
    assertThat(request.settings().warmup().payloads())
        .containsExactly(json.readTree("{\"n\":1}"), json.nullNode());
    assertThat(request.settings().jvmArgs()).isEqualTo(List.of("-Xss1m"));
  }

  @Test
  void valuesOfSecretsAreOnlyInTheStore() throws Exception {
    FunctionSettings read =
        read("{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"secrets\":{\"B\":\"hidden\",\"A\":\"x\"}}")
            .settings();
    ObjectNode view = json.createObjectNode();
    settings.write(read, view);
    assertThat(view.get("secrets").toString()).isEqualTo("[\"A\",\"B\"]");
    assertThat(view.toString()).doesNotContain("hidden");
    assertThat(read.toString()).contains("Secrets[A, B]").doesNotContain("hidden");
    ObjectNode stored = json.createObjectNode();
    settings.writeToStore(read, stored);
    assertThat(settings.stored(stored)).isEqualTo(read);
    assertThatThrownBy(
            () ->
                read(
                    "{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"env\":{\"A\":\"1\"},\"secrets\":{\"A\":\"2\"}}"))
        .isInstanceOf(InvalidFieldException.class)
        .hasMessageContaining("'A' is in 'env' and in 'secrets'");
  }

  @Test
  void descriptorPolicyOfAFileIsKeptByItsRules(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("policy.yaml");
    Files.writeString(file, "type: file\npath: \"**/*.log\"\naction: close\n");
    FunctionSettings read = read(withPolicy("\"" + file + "\"")).settings();
    assertThat(read.descriptors().policy().rules()).hasSize(1);
    ObjectNode stored = json.createObjectNode();
    settings.writeToStore(read, stored);
    Files.delete(file);
    assertThat(settings.stored(stored)).isEqualTo(read);
    assertThat(read(withPolicy(stored.get("fdPolicy").toString())).settings()).isEqualTo(read);
  }

  private static String withPolicy(String policy) {
    return "{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"agent\":\"trackDescriptors\",\"fdPolicy\":"
        + policy
        + "}";
  }

  @Test
  void malformedPolicyIsRefusedWithItsLine(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("policy.yaml");
    Files.writeString(file, "# mine\ntype: file\naction: opne\n");
    refusedPolicy("\"" + file + "\"", file + ", line 3: action 'opne' is not known");
    Files.write(file, new byte[] {'a', (byte) 0xff});
    refusedPolicy("\"" + file + "\"", "no UTF-8 text");
    refusedPolicy("\"" + directory + "\"", "no file of at most 65536 bytes");
    refusedPolicy("\"relative.yaml\"", "absolute path");
    refusedPolicy("[{\"type\":\"pipe\",\"action\":\"close\"},{}]", "rule 2 is empty");
    refusedPolicy("[{\"type\":\"x\",\"action\":\"close\"}]", "rule 1 is not allowed: type 'x'");
    refusedPolicy("[{\"type\":\"file\",\"path\":\"a\\naction: close\"}]", "line break");
    refusedPolicy("7", "a list is allowed");
  }

  private void refusedPolicy(String policy, String message) {
    assertThatThrownBy(() -> read(withPolicy(policy)))
        .isInstanceOfSatisfying(
            InvalidFieldException.class, e -> assertThat(e.field()).isEqualTo("fdPolicy"))
        .hasMessageContaining(message);
  }

  @Test
  void policyMustLieInAnAllowedDirectory(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("policy.yaml");
    Files.writeString(file, "");
    SettingsJson strict =
        new SettingsJson(JVM, AllowedRoots.of(List.of(Path.of("/a.jar"))), () -> Isolation.NONE);
    assertThatThrownBy(() -> strict.deployRequest(json.readTree(withPolicy("\"" + file + "\""))))
        .isInstanceOf(InvalidFieldException.class)
        .hasMessageContaining("field 'fdPolicy' names " + file + ", which lies elsewhere");
  }

  @Test
  void whatIsWrittenIsReadAgain() throws Exception {
    FunctionSettings read =
        read("{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"env\":{\"K\":\"V\"},"
                + "\"warmupPayload\":{\"n\":[1,2]},\"oneShot\":true}")
            .settings();
    ObjectNode node = json.createObjectNode();
    settings.writeToStore(read, node);
    assertThat(settings.stored(node)).isEqualTo(read);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          memoryMib          | 63        | between 64 and
          memoryMib          | 1.5       | between 64 and
          cpus               | -1        | between 0 and 1024
          cpus               | 1024.001  | between 0 and 1024
          cpus               | 0.0001    | at most three decimals
          cpus               | 1e999999  | between 0 and 1024
          cpus               | "0.5"     | between 0 and 1024
          pidsLimit          | 31        | between 32 and
          openFiles          | 63        | between 64 and
          fileSizeMib        | -1        | between 0 and
          maxAnswerBytes     | -1        | between 0 and
          memoryMib          | "512"     | between 64 and
          timeoutSeconds     | 0         | between 1 and 3600
          timeoutSeconds     | 99999999999 | between 1 and 3600
          initTimeoutSeconds | -1        | between 1 and 3600
          pool               | 1001      | between 0 and 1000
          concurrency        | 0         | between 1 and 10000
          idleSeconds        | true      | between 0 and 86400
          warmupCount        | -5        | between 0 and
          oneShot            | "yes"     | true or false
          env                | []        | an object
          env                | {"A=B":"c"} | without '='
          env                | {"":"c"}  | without '='
          jvmArgs            | "-Xmx1m"  | a list
          jvmArgs            | [1]       | a text
          layers             | ["rel.jar"] | absolute path
          handler            | ""        | missing or empty
          isolation          | "jail" | 'process' or 'sandbox'
          secrets            | ["A"]     | an object of texts
          noImage            | "yes"     | true or false
          zygoteMode         | "disk"    | auto, memory, image
          jvm                | "/nowhere" | no executable
          memory             | 512       | unknown field 'memory'
          """)
  void refusesAValueNamingTheFieldAndWhatIsAllowed(String field, String value, String expected) {
    String body =
        field.equals("handler")
            ? "{\"jars\":[\"/a.jar\"],\"handler\":" + value + "}"
            : "{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"" + field + "\":" + value + "}";
    assertThatThrownBy(() -> read(body))
        .isInstanceOfSatisfying(
            InvalidFieldException.class, e -> assertThat(e.field()).startsWith(field))
        .hasMessageContaining(field)
        .hasMessageContaining(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "1", "null", "\"text\""})
  void refusesWhatIsNoObject(String body) {
    assertThatThrownBy(() -> read(body)).hasMessageContaining("must be a JSON object");
  }

  @Test
  void refusesARequestWithoutJars() {
    assertThatThrownBy(() -> read("{\"handler\":\"a.B\",\"jars\":[]}"))
        .hasMessageContaining("'jars' is missing or empty");
  }

  @Test
  void refusesBothWaysOfGivingWarmUpPayloads() {
    assertThatThrownBy(
            () ->
                read(
                    "{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"warmupPayload\":1,"
                        + "\"warmupPayloads\":[1]}"))
        .hasMessageContaining("exclude each other");
  }

  @Test
  void refusesAnOldJvm(@TempDir Path home) throws Exception {
    Files.createDirectories(home.resolve("bin"));
    assertThat(Files.createFile(home.resolve("bin/java")).toFile().setExecutable(true)).isTrue();
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");
    assertThatThrownBy(
            () -> read("{\"jars\":[\"/a.jar\"],\"handler\":\"a.B\",\"jvm\":\"" + home + "\"}"))
        .hasMessageContaining("Java 11")
        .hasMessageContaining("17 or later");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "a.b", "ä", "a b", "../x"})
  void refusesNames(String name) {
    assertThatThrownBy(() -> SettingsJson.checkName(name))
        .hasMessageContaining("'" + name + "' is not allowed");
  }

  @Test
  void acceptsNames() throws Exception {
    SettingsJson.checkName("a");
    SettingsJson.checkName("A-b_9".repeat(12));
    assertThatThrownBy(() -> SettingsJson.checkName("x".repeat(65)))
        .isInstanceOf(InvalidFieldException.class);
  }
}
