package io.pilotlight.agent.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.pilotlight.agent.FunctionJars;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostingErrorsTest {
  @TempDir static Path directory;
  private static FunctionJars jars;
  private ClassLoader contextLoader;

  @BeforeAll
  static void pack() throws Exception {
    jars = FunctionJars.in(directory);
  }

  @BeforeEach
  void rememberContextLoader() {
    contextLoader = Thread.currentThread().getContextClassLoader();
  }

  @AfterEach
  void restoreContextLoader() {
    Thread.currentThread().setContextClassLoader(contextLoader);
  }

  private static Failure refused(Frame.Init init, Frame.Phase phase) {
    HostedFunction function = new HostedFunction(init, Map.of(), "zygote", new ManualClock());
    HostingException refusal =
        catchThrowableOfType(
            HostingException.class,
            () ->
                LoadedFunction.load(
                    init, function, FunctionLoader.open(init.jars(), init.layers())));
    assertThat(refusal).isNotNull();
    assertThat(refusal.frame().phase()).isEqualTo(phase);
    return refusal.frame().failure();
  }

  private static Failure refusedJar(String jar) {
    Frame.Init init =
        new Frame.Init("shop", "1", "a.B", List.of(jars.all().get(0)), List.of(jar), 1, false);
    return refused(init, Frame.Phase.JARS);
  }

  @Test
  void aJarThatIsMissingIsNamed() {
    assertThat(refusedJar("/no/such.jar").message())
        .contains("layer /no/such.jar does not exist", "give the path");
  }

  @Test
  void aJarThatIsNoJarIsNamed() throws IOException {
    Path file = Files.writeString(directory.resolve("text.jar"), "no zip at all");
    assertThat(refusedJar(file.toString()).message()).contains(file + " is not a jar");
    Path nothing = Files.createFile(directory.resolve("nothing.jar"));
    assertThat(refusedJar(nothing.toString()).message()).contains(nothing + " is not a jar");
    Path empty = directory.resolve("empty.jar");
    new ZipOutputStream(Files.newOutputStream(empty)).close();
    assertThat(refusedJar(empty.toString()).message()).contains(empty + " is empty");
    assertThat(refusedJar(directory.toString()).message()).contains(directory + " is a directory");
    assertThat(refusedJar("a\0b").message()).contains("is no path");
  }

  @Test
  void aJarThatIsCutShortIsNamed() throws IOException {
    byte[] whole = Files.readAllBytes(Path.of(jars.all().get(0)));
    Path cut = directory.resolve("cut.jar");
    Files.write(cut, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThat(refusedJar(cut.toString()).message()).contains(cut + " is not a jar");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.Missing|java.lang.ClassNotFoundException|class a.Missing is in none of",
        "functions.awshandlers|java.lang.ClassNotFoundException|check the handler's spelling",
        "::method|java.lang.IllegalArgumentException|names no handler",
        "a.B::|java.lang.IllegalArgumentException|names no handler",
        "functions.BadHandlers$Nothing|java.lang.ClassCastException|greet(java.lang.String)",
        "functions.BadHandlers$Nothing::hello|java.lang.NoSuchMethodException|greet(java.lang.Str",
        "functions.BadHandlers::either|java.lang.NoSuchMethodException|suit equally well",
        "functions.BadHandlers::three|java.lang.NoSuchMethodException|accepted are",
        "functions.BadHandlers$Unconstructible|java.lang.InstantiationException|no public construct",
        "functions.BadHandlers$Abstract|java.lang.InstantiationException|is abstract",
        "functions.BadHandlers$Hidden|java.lang.InstantiationException|is not public",
        "functions.BadHandlers$Dependent|java.lang.NoClassDefFoundError|functions/LeftOut",
      })
  void aHandlerThatIsMissingOrUnsuitableIsNamed(String handler, String type, String message) {
    Failure failure = refused(jars.init(handler), Frame.Phase.HANDLER);
    assertThat(failure.type()).isEqualTo(type);
    assertThat(failure.message()).contains(message);
  }

  @ParameterizedTest
  @CsvSource({
    "BadStatic,java.lang.IllegalStateException,no configuration,fail",
    "BadConstructor,java.lang.UnsupportedOperationException,no database,<init>"
  })
  void theFunctionsOwnExceptionIsReported(
      String handler, String type, String message, String innermost) {
    Failure failure =
        refused(jars.init("functions.BadHandlers$" + handler), Frame.Phase.INITIALISATION);
    assertThat(failure.type()).isEqualTo(type);
    assertThat(failure.message()).isEqualTo(message);
    assertThat(failure.stackTrace()).isNotEmpty();
    assertThat(failure.stackTrace().get(0))
        .startsWith("functions.BadHandlers$" + handler + "." + innermost + "(");
    assertThat(failure.stackTrace()).noneMatch(line -> line.contains("pilotlight"));
  }
}
