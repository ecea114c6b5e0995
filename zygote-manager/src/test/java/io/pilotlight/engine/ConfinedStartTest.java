package io.pilotlight.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThatCode;

import io.pilotlight.linux.Fd;
import io.pilotlight.linux.OpenFile;
import io.pilotlight.linux.Processes;
import io.pilotlight.linux.Sockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** On the real kernel; left out where that allows no namespaces, as doctor tells there. */
final class ConfinedStartTest {
  private static final int NOBODY = 65534;

  private static Confinement confinement(Isolation level, Path... visible) {
    int user = Processes.userId();
    return new Confinement(
        level,
        false,
        user == 0 ? NOBODY : user,
        user == 0 ? NOBODY : Processes.groupId(),
        List.of(),
        List.of(visible),
        1);
  }

  private static List<Long> children() {
    return ProcessHandle.current().children().map(ProcessHandle::pid).collect(Collectors.toList());
  }

  @ParameterizedTest
  @EnumSource(names = {"PROCESS", "SANDBOX"})
  void tryingLeavesNothing(Isolation level) throws IOException {
    assumeThatCode(() -> ConfinedStart.check(confinement(level))).doesNotThrowAnyException();
    List<Long> before = children();
    ConfinedStart.check(confinement(level));
    assertThat(children()).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(names = {"PROCESS", "SANDBOX"})
  void stepThatFailsIsNamedAndNothingIsLeft(Isolation level) {
    assumeThatCode(() -> ConfinedStart.check(confinement(level))).doesNotThrowAnyException();
    List<Long> before = children();
    Path missing = Path.of("/tmp/pilotlight-there-is-no-such-file");
    assertThatThrownBy(() -> ConfinedStart.check(confinement(level, missing)))
        .hasMessageContaining("mount(" + missing)
        .hasMessageContaining("ENOENT");
    assertThat(children()).isEqualTo(before);
  }

  @ParameterizedTest
  @EnumSource(names = {"PROCESS", "SANDBOX"})
  void programThatIsNotThereIsNamedAndNothingIsLeft(Isolation level) throws IOException {
    assumeThatCode(() -> ConfinedStart.check(confinement(level))).doesNotThrowAnyException();
    List<Long> before = children();
    assertThatThrownBy(() -> start(level, List.of("/nowhere/program")))
        .hasMessageContaining("execve(/nowhere/program)")
        .hasMessageContaining("ENOENT");
    assertThat(children()).isEqualTo(before);
  }

  private static String start(Isolation level, List<String> command, Path... visible)
      throws IOException {
    try (Sockets.Pair output = Sockets.pipe();
        Fd nothing = OpenFile.readOnly(Path.of("/dev/null"))) {
      ConfinedStart.Started started =
          ConfinedStart.start(
              confinement(level, visible),
              new ConfinedStart.Program(command, Map.of("KEY", "ü"), Path.of("/"), "owner=test"),
              pid -> {},
              List.of(nothing, output.second(), output.second()));
      output.second().close();
      try {
        ByteBuffer text = ByteBuffer.allocateDirect(8192);
        while (Sockets.poll(output.first(), Sockets.POLLIN, 10_000, ByteBuffer.allocateDirect(8))
            && Sockets.read(output.first(), text) > 0) {
          // until its end
        }
        byte[] bytes = new byte[text.flip().remaining()];
        text.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
      } finally {
        Stream.of(started.pid(), started.keeperPid()).forEach(Processes::endChild);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = "PROCESS")
  void programRunsInItsNamespaces(Isolation level) throws IOException {
    assumeThatCode(() -> ConfinedStart.check(confinement(level))).doesNotThrowAnyException();
    String script = "echo $KEY $$ $(id -u); grep -E 'CapEff|NoNewPrivs|NSpid' /proc/self/status";
    String text = start(level, List.of("/bin/sh", "-c", script));
    int user = Processes.userId() == 0 ? NOBODY : Processes.userId();
    assertThat(text).startsWith("ü 2 " + user + "\n");
    assertThat(text).contains("CapEff:\t0000000000000000", "NoNewPrivs:\t1");
  }
}
