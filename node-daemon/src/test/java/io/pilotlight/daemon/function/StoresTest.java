package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.fake.Definitions;
import io.pilotlight.daemon.fake.TestJars;
import io.pilotlight.engine.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoresTest {
  @TempDir Path directory;
  private JarStore jars;
  private DefinitionStore definitions;

  @BeforeEach
  void open() throws Exception {
    jars = new JarStore(directory.resolve("jars"));
    definitions =
        new DefinitionStore(
            directory.resolve("functions"),
            jars,
            new SettingsJson(
                Path.of(System.getProperty("java.home")),
                AllowedRoots.everywhere(),
                () -> Isolation.NONE),
            new ObjectMapper());
  }

  private List<String> stored() throws Exception {
    try (Stream<Path> files = Files.list(directory.resolve("jars"))) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void aJarIsACopyUnderItsHashForItsOwnerOnly() throws Exception {
    Path source = TestJars.write(directory.resolve("a.jar"), "one");
    StoredJar jar = jars.add("jars", List.of(source)).get(0);
    assertThat(jar.path()).hasFileName(jar.sha256() + ".jar").hasSameBinaryContentAs(source);
    // Whom an isolated function runs as may read what is bound for it; the directory is the gate.
    assertThat(permissions(jar.path())).isEqualTo("rw-r--r--");
    assertThat(permissions(jar.path().getParent())).isEqualTo("rwx------");
    byte[] before = Files.readAllBytes(jar.path());
    TestJars.write(source, "two");
    assertThat(Files.readAllBytes(jar.path())).isEqualTo(before);
  }

  @Test
  void twoUsersShareAJarAndTheLastOneRemovesIt() throws Exception {
    Path source = TestJars.write(directory.resolve("a.jar"), "one");
    List<StoredJar> first = jars.add("jars", List.of(source));
    List<StoredJar> second = jars.add("jars", List.of(source));
    assertThat(stored()).hasSize(1);
    jars.release(first);
    assertThat(stored()).hasSize(1);
    jars.release(second);
    assertThat(stored()).isEmpty();
  }

  @Test
  void refusesAMissingJarAndKeepsNothing() throws Exception {
    Path good = TestJars.write(directory.resolve("a.jar"), "one");
    Path missing = directory.resolve("missing.jar");
    assertThatThrownBy(() -> jars.add("jars", List.of(good, missing)))
        .isInstanceOf(InvalidFieldException.class)
        .hasMessageContaining("'jars'")
        .hasMessageContaining(missing + ", which does not exist");
    assertThat(stored()).isEmpty();
  }

  @Test
  void refusesWhatIsNoJar() throws Exception {
    Path text = Files.writeString(directory.resolve("text.jar"), "not a jar");
    assertThatThrownBy(() -> jars.add("layers", List.of(text)))
        .isInstanceOf(InvalidFieldException.class)
        .hasMessageContaining("'layers'")
        .hasMessageContaining("is not a jar");
    assertThatThrownBy(() -> jars.add("jars", List.of(directory)))
        .hasMessageContaining("is not a readable file");
    assertThat(stored()).isEmpty();
  }

  @Test
  void removesWhatNobodyHoldsAndWhatACrashLeftHalfWritten() throws Exception {
    Path source = TestJars.write(directory.resolve("a.jar"), "one");
    List<StoredJar> held = jars.add("jars", List.of(source));
    Files.createFile(directory.resolve("jars/new-1.tmp"));
    JarStore reopened = new JarStore(directory.resolve("jars"));
    assertThat(stored()).containsExactly(held.get(0).sha256() + ".jar");
    reopened.removeUnheld();
    assertThat(stored()).isEmpty();
  }

  @Test
  void aDefinitionIsReadAsItWasWritten() throws Exception {
    Path source = TestJars.write(directory.resolve("a.jar"), "one");
    List<StoredJar> stored = jars.add("jars", List.of(source));
    FunctionDefinition written =
        new FunctionDefinition(
            "f", 7, 123_456_789_012L, stored, List.of(), Definitions.settings(true, 3, 9));
    definitions.save(written);
    assertThat(definitions.load()).containsExactly(written);
    assertThat(definitions.load().get(0).spec()).isEqualTo(written.spec());
    definitions.delete("f");
    assertThat(definitions.load()).isEmpty();
  }

  @Test
  void aDefinitionThatCannotBeReadIsLeftOutAndLeftThere() throws Exception {
    Path broken = Files.writeString(directory.resolve("functions/broken.json"), "{");
    Path foreign =
        Files.writeString(
            directory.resolve("functions/x.json"),
            "{\"name\":\"../x\",\"version\":1,\"jars\":[],\"layers\":[],\"settings\":{}}");
    definitions.save(Definitions.of("good", 1, Definitions.settings(false, 0, 1)));
    assertThat(definitions.load()).extracting(FunctionDefinition::name).containsExactly("good");
    assertThat(broken).exists();
    assertThat(foreign).exists();
  }
}
