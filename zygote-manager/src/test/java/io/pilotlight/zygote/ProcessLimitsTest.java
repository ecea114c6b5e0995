package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.zygote.ExitStatus.Exited;
import io.pilotlight.zygote.ExitStatus.Signalled;
import io.pilotlight.zygote.Overrun.Kind;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is told of a process that is in no control group. */
final class ProcessLimitsTest {
  private final ProcessLimits limits =
      new ProcessLimits(new Limits(200, 0, 50, 60, 7), 712, null, group -> {});

  private static final String JVM_REFUSED =
      "# There is insufficient memory for the Java Runtime Environment to continue.\n";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          Java heap space        | memory limit of 200 MiB, 150 MiB of it for the heap
          GC overhead limit      | memory limit of 200 MiB, 150 MiB of it for the heap
          Metaspace              | memory limit of 200 MiB, 128 MiB of it for classes
          Compressed class space | memory limit of 200 MiB, 128 MiB of it for classes
          """)
  void outOfMemory(String error, String limit) {
    String output = "before\nTerminating due to java.lang.OutOfMemoryError: " + error + "\nafter\n";
    for (ExitStatus status : List.of(new Exited(3), new ExitStatus.Unknown())) {
      assertThat(limits.ending(status, output))
          .contains(new Overrun(Kind.MEMORY, limit + " (OutOfMemoryError: " + error + ")"));
    }
  }

  @Test
  void endsThatNoLimitHasCaused() {
    assertThat(limits.ending(new Exited(3), "")).isEmpty();
    assertThat(limits.ending(new Signalled(9), "")).isEmpty();
    assertThat(limits.ending(new Signalled(11), "")).isEmpty();
    assertThat(limits.ending(new ExitStatus.Unknown(), "")).isEmpty();
  }

  @Test
  void signalOfALargeFile() {
    assertThat(limits.ending(new Signalled(25), ""))
        .contains(new Overrun(Kind.FILE_SIZE, "limit of 7 MiB for a file"));
  }

  @Test
  void exceptionsAndTheirCauses() {
    assertThat(limits.cause(failure("wrapped", failure("/a: Too many open files", null))))
        .contains(new Overrun(Kind.OPEN_FILES, "limit of 60 open files"));
    assertThat(limits.cause(failure("File too large", null)))
        .contains(new Overrun(Kind.FILE_SIZE, "limit of 7 MiB for a file"));
    // JDK 17, and before that.
    for (String message :
        List.of("Cannot reserve 9 bytes of direct buffer memory", "Direct buffer memory")) {
      assertThat(limits.cause(failure(message, null)).orElseThrow().limit())
          .contains("200 MiB", "50 MiB of it for direct buffers");
    }
    assertThat(limits.cause(failure("unable to create native thread: ...", null)))
        .contains(new Overrun(Kind.PIDS, "user's limit on processes and threads (ulimit -u)"));
    assertThat(limits.cause(failure("Unable to allocate 9 bytes", null)))
        .contains(new Overrun(Kind.MEMORY, "memory limit of 200 MiB, with the JVM's own 712 MiB"));
    assertThat(limits.ending(new Exited(1), JVM_REFUSED))
        .contains(new Overrun(Kind.MEMORY, "memory limit of 200 MiB, with the JVM's own 712 MiB"));
    assertThat(limits.cause(failure(null, null))).isEmpty();
    assertThat(limits.cause(failure("anything else", null))).isEmpty();
  }

  @Test
  void unlimitedFilesAreNotToBlame() {
    ProcessLimits other = new ProcessLimits(Limits.ofMemory(64), 64, null, group -> {});
    assertThat(other.cause(failure("File too large", null))).isEmpty();
  }

  private static Failure failure(@Nullable String message, @Nullable Failure cause) {
    return new Failure("java.lang.Error", message, List.of(), cause);
  }
}
