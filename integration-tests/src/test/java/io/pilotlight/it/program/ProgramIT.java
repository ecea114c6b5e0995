package io.pilotlight.it.program;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.it.support.ClockAhead;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Eventually;
import io.pilotlight.it.support.FileTree;
import io.pilotlight.it.support.FunctionJar;
import io.pilotlight.it.support.ManagedProgram;
import io.pilotlight.it.support.ManagedProgram.Place;
import io.pilotlight.it.support.ProcessTable;
import io.pilotlight.it.support.TestJvm;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.crac.Core;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code pilotlight run}, {@code checkpoint} and {@code restore} of a program with a main. */
final class ProgramIT {
  private static final int NOBODY = 65534;
  private static final Map<String, String> GREETING = Map.of("GREETING", "hello");
  private static final int KILLED = 128 + 9;
  private static final int TERMINATED = 128 + 15;

  private final List<ManagedProgram> started = new ArrayList<>();
  private Path directory;
  private Place here;
  private String classPath;

  @BeforeEach
  void prepare() throws Exception {
    directory = Files.createTempDirectory("pilotlight-program-");
    Path installation = DaemonProcess.Setup.on(directory).installation();
    here = new Place(installation.resolve("pilotlight.jar"), List.of(), directory);
    Path crac = Path.of(Core.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path copy = Files.copy(crac, directory.resolve("crac.jar"));
    Path jar = FunctionJar.of(directory, Talking.class);
    for (Path file : List.of(copy, jar)) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }
    classPath = jar + File.pathSeparator + copy;
  }

  @AfterEach
  void end() throws Exception {
    for (ManagedProgram program : started) {
      program.end();
    }
    Eventually.holds("no program is left", () -> programs().isEmpty());
    FileTree.delete(directory);
  }

  private List<ProcessTable.Entry> programs() throws Exception {
    return ProcessTable.withArgument(argument -> argument.equals(classPath));
  }

  private ManagedProgram start(Place place, Map<String, String> environment, String... arguments)
      throws Exception {
    ManagedProgram program = place.start(environment, arguments);
    started.add(program);
    return program;
  }

  private ManagedProgram run(Place place, String... options) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("run"));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of("--", TestJvm.tool("java").toString(), "-cp", classPath));
    arguments.addAll(List.of(Talking.class.getName(), "a b", "c"));
    ManagedProgram program = start(place, GREETING, arguments.toArray(new String[0]));
    assertThat(program.awaitLine("arguments ")).isEqualTo("[a b, c]");
    return program;
  }

  /** What a command says that cannot do what it is told. */
  private String failure(String... arguments) throws Exception {
    ManagedProgram command = start(here, Map.of(), arguments);
    assertThat(command.awaitEnd()).as(command.toString()).isEqualTo(1);
    assertThat(command.out()).isEmpty();
    return command.err();
  }

  @Test
  void passesOnWhatItIsGiven() throws Exception {
    ManagedProgram program = run(here);
    program.say("env GREETING");
    assertThat(program.awaitLine("env ")).isEqualTo("hello");
    program.say("error broken");
    program.say("exit 5");
    assertThat(program.awaitEnd()).isEqualTo(5);
    assertThat(program.err()).isEqualTo("error broken\n");

    ManagedProgram told = run(here);
    told.awaitLine("process ");
    told.command().destroy();
    assertThat(told.awaitEnd()).isEqualTo(TERMINATED);
    assertThat(told.out()).endsWith("hook\n");

    ManagedProgram killed = run(here);
    long pid = Long.parseLong(killed.awaitLine("process "));
    ProcessHandle.of(pid).orElseThrow().destroyForcibly();
    assertThat(killed.awaitEnd()).isEqualTo(KILLED);
  }

  @Test
  void itsOwnCheckpointReturnsInEachRestored() throws Exception {
    Path image = directory.resolve("image");
    ManagedProgram program = run(here, "--image", image.toString());
    program.say("checkpoint");
    assertThat(program.awaitEnd()).isEqualTo(KILLED);
    assertThat(program.out()).endsWith("before\n").doesNotContain("hook");

    ManagedProgram first =
        start(here, Map.of("GREETING", "one"), "restore", "-D", "p=q", image.toString());
    ManagedProgram second =
        start(
            here,
            Map.of("GREETING", "two"),
            "restore",
            image.toString(),
            "--",
            Talking.Second.class.getName(),
            "x y",
            "z");
    assertThat(first.awaitLine("after ")).isEqualTo("one");
    first.awaitLine("returned");
    second.awaitLine("returned");
    assertThat(second.out()).isEqualTo("after two\nsecond [x y, z]\nreturned\n");
    first.say("property p");
    assertThat(first.awaitLine("property ")).isEqualTo("q");
    first.say("uuid");
    second.say("uuid");
    assertThat(first.awaitLine("uuid ")).isNotEqualTo(second.awaitLine("uuid "));
    first.say("error broken");
    first.say("exit 6");
    assertThat(first.awaitEnd()).isEqualTo(6);
    assertThat(first.err()).isEqualTo("error broken\n");
    second.command().destroy();
    assertThat(second.awaitEnd()).isEqualTo(TERMINATED);
    assertThat(second.out()).endsWith("hook\n");
  }

  @Test
  void isFrozenAsItRunsAndAgainWhenItIsRestored() throws Exception {
    Path image = directory.resolve("image");
    Path other = directory.resolve("other");
    ManagedProgram program = run(here);
    String pid = program.awaitLine("process ");
    ManagedProgram kept =
        start(here, Map.of(), "checkpoint", pid, "--image", image.toString(), "--keep-running");
    assertThat(kept.awaitEnd()).as(kept.toString()).isEqualTo(0);
    program.awaitLine("after ");
    program.say("process");
    program.say("exit 3");
    assertThat(program.awaitEnd()).isEqualTo(3);
    assertThat(program.out()).contains("before\nafter hello\nprocess " + pid);

    ManagedProgram restored = start(here, GREETING, "restore", image.toString());
    restored.awaitLine("after ");
    restored.say("process");
    String restoredPid = restored.awaitLine("process ");
    assertThat(restoredPid).isNotEqualTo(pid);
    String runner = Long.toString(restored.command().pid());
    ManagedProgram again = start(here, Map.of(), "checkpoint", runner, "--image", other.toString());
    assertThat(again.awaitEnd()).as(again.toString()).isEqualTo(0);
    assertThat(restored.awaitEnd()).isEqualTo(KILLED);

    // The image of what came from an image needs no other.
    FileTree.delete(image);
    ManagedProgram last = start(here, GREETING, "restore", other.toString());
    last.awaitLine("after ");
    last.say("exit 4");
    assertThat(last.awaitEnd()).isEqualTo(4);
  }

  @Test
  void goesOnWithoutAnImageAndIsToldWhy() throws Exception {
    Path image = directory.resolve("image");
    ManagedProgram program = run(here, "--image", image.toString(), "--keep-running");
    program.say("listen");
    program.awaitLine("listens");
    program.say("checkpoint");
    assertThat(program.awaitLine("refused ")).contains("listen", "--fd-policy");
    assertThat(program.out()).contains("before\nafter hello\nrefused");
    assertThat(image).doesNotExist();

    program.say("close");
    program.say("checkpoint");
    program.awaitLine("returned");
    program.say("checkpoint");
    Eventually.holds(
        "the second is refused",
        () ->
            program.awaitLine("refused ").contains("is there already; an image is never changed"));
    program.say("exit 0");
    assertThat(program.awaitEnd()).isEqualTo(0);

    ManagedProgram without = run(here);
    without.say("checkpoint");
    assertThat(without.awaitLine("refused ")).contains("without --image");
    without.command().destroyForcibly();
    Eventually.holds("it ends with who runs it", () -> programs().isEmpty());
  }

  @Test
  void errorsAreNamed() throws Exception {
    String own = Long.toString(ProcessHandle.current().pid());
    String image = directory.resolve("image").toString();
    assertThat(failure("checkpoint", own, "--image", image)).contains("does not run under");
    assertThat(failure("restore", image)).contains("there is no image", image);
    assertThat(failure("run", "--", "/bin/sh", "-c", "true")).contains("no java launcher");
    assertThat(failure("run", "--", "no-such-java")).contains("no program 'no-such-java'");
    assertThat(failure("run", "--", TestJvm.tool("java").toString(), "-XX:+UseZGC", "Main"))
        .contains("ZGC");

    ManagedProgram program = run(here, "--image", image);
    program.say("checkpoint");
    assertThat(program.awaitEnd()).isEqualTo(KILLED);
    Path pages = Path.of(image, "pages");
    byte[] bytes = Files.readAllBytes(pages);
    bytes[bytes.length / 2] ^= 1;
    Files.write(pages, bytes);
    assertThat(failure("restore", image)).contains("pages is not what was written");
    Files.delete(pages);
    assertThat(failure("restore", image)).contains("pages is missing");
  }

  /** Without any capability. Where the tests run as root they become that user. */
  @Test
  void anOrdinaryUserNeedsNoPrivilege() throws Exception {
    Place place = ordinary();
    Path image = place.directory().resolve("image");
    ManagedProgram program = run(place);
    String pid = program.awaitLine("process ");
    ManagedProgram taken = start(place, Map.of(), "checkpoint", pid, "--image", image.toString());
    assertThat(taken.awaitEnd()).as(taken.toString()).isEqualTo(0);
    assertThat(program.awaitEnd()).isEqualTo(KILLED);
    ManagedProgram restored = start(place, GREETING, "restore", image.toString());
    assertThat(restored.awaitLine("after ")).isEqualTo("hello");
    restored.say("exit 8");
    assertThat(restored.awaitEnd()).isEqualTo(8);
  }

  /** Likewise; who may not make a time namespace makes one in a user namespace. */
  @Test
  void clocksGoOnWhereTheMachinesIsLower() throws Exception {
    Place place = ordinary();
    List<String> launcher = new ArrayList<>(ClockAhead.launcher());
    launcher.addAll(place.launcher());
    Path image = place.directory().resolve("image");
    ManagedProgram program = run(new Place(place.jar(), launcher, place.directory()));
    String pid = program.awaitLine("process ");
    program.say("tick");
    program.say("clock");
    long frozen = Long.parseLong(program.awaitLine("clock "));
    assertThat(frozen).isGreaterThanOrEqualTo(ClockAhead.SECONDS);
    ManagedProgram taken = start(place, Map.of(), "checkpoint", pid, "--image", image.toString());
    assertThat(taken.awaitEnd()).as(taken.toString()).isEqualTo(0);
    assertThat(program.awaitEnd()).isEqualTo(KILLED);
    ManagedProgram restored = start(place, GREETING, "restore", image.toString());
    restored.awaitLine("after ");
    restored.say("clock");
    assertThat(restored.awaitLine("clock ")).isNotEqualTo("stands");
    assertThat(Long.parseLong(restored.awaitLine("clock "))).isGreaterThanOrEqualTo(frozen);
    restored.say("exit 8");
    assertThat(restored.awaitEnd()).isEqualTo(8);
  }

  private Place ordinary() throws Exception {
    if (!Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)) {
      return here;
    }
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path own = Files.createDirectory(directory.resolve("own"));
    Files.setAttribute(own, "unix:uid", NOBODY);
    // The user may not be allowed to read where this was built.
    Path built = here.jar().getParent();
    Path installation = Files.createDirectory(directory.resolve("installation"));
    Path lib = Files.createDirectory(installation.resolve("lib"));
    copy(here.jar(), installation);
    try (Stream<Path> jars = Files.list(built.resolve("lib"))) {
      for (Path jar : jars.toList()) {
        copy(jar, lib);
      }
    }
    List<String> launcher =
        List.of(
            "setpriv",
            "--reuid=" + NOBODY,
            "--regid=" + NOBODY,
            "--clear-groups",
            "--bounding-set=-all",
            "--no-new-privs");
    return new Place(installation.resolve("pilotlight.jar"), launcher, own);
  }

  private static void copy(Path jar, Path to) throws Exception {
    Path copy = Files.copy(jar, to.resolve(jar.getFileName()));
    Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-r--r--"));
  }
}
