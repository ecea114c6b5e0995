package io.pilotlight.linux;

import static io.pilotlight.linux.Uapi.SIGKILL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against the real kernel. */
final class ProcessesTest {
  private static final String SHELL = "/bin/sh";
  private EventLoop loop;

  @BeforeEach
  void open() throws KernelException {
    loop = new EventLoop("test");
  }

  @AfterEach
  void close() {
    loop.close();
  }

  private static int shell(String script, Map<String, String> environment, List<Fd> descriptors)
      throws KernelException {
    return Processes.spawn(List.of(SHELL, "-c", script), environment, Path.of("/"), descriptors);
  }

  private Processes.Ended end(int pid) throws Exception {
    try (Fd pidfd = Processes.pidfd(pid).orElseThrow()) {
      CompletableFuture<Processes.Ended> ended = new CompletableFuture<>();
      EventLoop.Watch watch =
          loop.watch(
              pidfd,
              () -> {
                try {
                  Processes.reap(pidfd).ifPresent(ended::complete);
                } catch (KernelException e) {
                  ended.completeExceptionally(e);
                }
              });
      try {
        return ended.get(20, TimeUnit.SECONDS);
      } finally {
        watch.cancel();
      }
    }
  }

  @Test
  void exitStatusAndSignalAreTold() throws Exception {
    assertThat(end(shell("exit 7", Map.of(), List.of()))).isEqualTo(new Processes.Ended(true, 7));
    assertThat(end(shell("kill -TERM $$", Map.of(), List.of())))
        .isEqualTo(new Processes.Ended(false, 15));
  }

  @Test
  void getsItsEnvironmentItsDirectoryAndNothingElse() throws Exception {
    try (Sockets.Pair pipe = Sockets.pipe();
        Fd nothing = OpenFile.readOnly(Path.of("/dev/null"))) {
      int pid =
          shell(
              "echo \"$A $(pwd)\"; exec sleep 1000",
              Map.of("A", "b c", "PATH", "/usr/bin:/bin"),
              List.of(nothing, pipe.second(), pipe.second()));
      try {
        ByteBuffer text = ByteBuffer.allocateDirect(200);
        Sockets.poll(pipe.first(), Sockets.POLLIN, 20_000, ByteBuffer.allocateDirect(8));
        Sockets.read(pipe.first(), text);
        byte[] bytes = new byte[text.position()];
        text.flip().get(bytes);
        assertThat(new String(bytes, StandardCharsets.UTF_8).strip()).isEqualTo("b c /");
        assertThat(ProcFs.descriptors(pid)).containsExactly(0, 1, 2);
        assertThat(ProcFs.session(pid)).as("leads a session of its own").isEqualTo(pid);
      } finally {
        Processes.killChild(pid);
        end(pid);
      }
    }
  }

  @Test
  void missingProgramIsNamed() {
    assertThatThrownBy(
            () -> Processes.spawn(List.of("/no/such/program"), Map.of(), Path.of("/"), List.of()))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("/no/such/program")
        .hasMessageContaining("ENOENT");
  }

  @Test
  void signalReachesTheProcess() throws Exception {
    int pid = shell("exec sleep 1000", Map.of("PATH", "/usr/bin:/bin"), List.of());
    try (Fd pidfd = Processes.pidfd(pid).orElseThrow()) {
      assertThat(Processes.signal(pidfd, SIGKILL)).isTrue();
    }
    assertThat(end(pid)).isEqualTo(new Processes.Ended(false, 9));
    assertThat(Processes.pidfd(pid)).isEmpty();
  }
}
