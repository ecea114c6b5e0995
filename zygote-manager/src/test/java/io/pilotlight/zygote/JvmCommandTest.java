package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JvmCommandTest {
  private static final Path HOME = Path.of(System.getProperty("java.home"));

  @TempDir Path directory;

  private static FunctionSpec spec(Path home, String... jvmArgs) {
    return spec(Map.of(), home, jvmArgs);
  }

  private static FunctionSpec spec(Map<String, String> environment, Path home, String... jvmArgs) {
    return new FunctionSpec(
        "f",
        "1",
        "C",
        List.of(),
        List.of(),
        environment,
        new Limits(400, 1500, 50, 60, 0),
        home,
        List.of(jvmArgs));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-XX:+UseZGC", "-XX:+UsePerfData"})
  void flagsWithSharedMemoryAreRefusedWithTheWayOut(String flag) {
    assertThatThrownBy(() -> JvmCommand.check(spec(HOME, flag)))
        .isInstanceOf(BuildException.class)
        .hasMessageContaining(flag)
        .hasMessageContaining("shared memory")
        .extracting(e -> ((BuildException) e).fault())
        .isEqualTo(BuildException.Fault.CONFIGURATION);
  }

  @Test
  void thisJdkIsAccepted() throws Exception {
    JvmCommand.check(spec(HOME, "-XX:+UseG1GC"));
  }

  @Test
  void folderWithoutJavaIsRefusedByName() {
    assertThatThrownBy(() -> JvmCommand.check(spec(directory)))
        .hasMessageContaining(directory.toString())
        .hasMessageContaining("no JDK");
  }

  @Test
  void oldJdkIsRefusedWithItsVersion() throws IOException {
    Path java = Files.createDirectories(directory.resolve("bin")).resolve("java");
    Files.writeString(java, "");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    Files.writeString(directory.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");
    assertThatThrownBy(() -> JvmCommand.check(spec(directory)))
        .hasMessageContaining("version 11")
        .hasMessageContaining("17 or later");
  }

  @Test
  void serialUnlessAnotherCollectorIsAskedFor() {
    Path agent = Path.of("/agent.jar");
    assertThat(JvmCommand.of(spec(HOME), agent, "o", true))
        .contains(
            "-Xmx300m",
            "-XX:InitialRAMPercentage=100",
            "-XX:MaxDirectMemorySize=100m",
            "-XX:MaxMetaspaceSize=200m",
            "-XX:ActiveProcessorCount=2")
        .contains("-XX:+UseSerialGC", "-javaagent:/agent.jar=owner=o");
    assertThat(JvmCommand.of(spec(HOME, "-XX:+UseG1GC"), agent, "o", true))
        .contains("-XX:+UseG1GC")
        .doesNotContain("-XX:+UseSerialGC");
  }

  @Test
  void localeIsUtf8UnlessTheFunctionNamesOne() {
    assertThat(JvmCommand.environment(spec(Map.of("A", "b"), HOME)))
        .isEqualTo(Map.of("A", "b", "LANG", "C.UTF-8"));
    for (String variable : List.of("LANG", "LC_ALL", "LC_CTYPE")) {
      Map<String, String> chosen = Map.of(variable, "de_DE.ISO-8859-1");
      assertThat(JvmCommand.environment(spec(chosen, HOME))).isEqualTo(chosen);
    }
  }
}
