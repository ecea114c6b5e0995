package io.pilotlight.agent.quiesce;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.agent.handler.ManualClock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class QuiescerTest {
  private static final String IDLE =
      """
      Current compiles:

      C1 compile queue:
      Empty

      C2 compile queue:
      Empty

      """;
  private static final String COMPILING =
      """
      Current compiles:
      C2 CompilerThread0  1346       4       java.util.HashMap::get (19 bytes)

      C1 compile queue:
      Empty

      C2 compile queue:
      Empty

      """;
  private static final String WAITING =
      """
      Current compiles:

      C1 compile queue:
      1313   !   2   a.B::c (13 bytes)

      C2 compile queue:
      Empty

      """;

  private final ManualClock clock = new ManualClock();
  private final List<String> commands = new ArrayList<>();
  private final Collector collects = timeoutMillis -> true;

  @Test
  void theCompilersListIsUnderstood() {
    assertThat(Quiescer.isIdle(IDLE)).isTrue();
    assertThat(Quiescer.isIdle(COMPILING)).isFalse();
    assertThat(Quiescer.isIdle(WAITING)).isFalse();
  }

  @Test
  void theCodeListIsUnderstood() {
    String list =
        """
        21 0 0 java.lang.System.arraycopy(Ljava/lang/Object;)V [0x00007fef84ec7010, 0x1 - 0x2]
        1346 4 0 java.lang.StringLatin1.hashCode([B)I [0x00007fef84ec7410, 0x1 - 0x2]
        16 4 2 a.B.c9999()V [0x00007fef84ec7790, 0x1 - 0x2]
        """;
    assertThat(Quiescer.latest(list)).isEqualTo(1346);
    assertThat(Quiescer.latest("7")).isEqualTo(7);
    assertThat(Quiescer.latest("")).isZero();
    assertThat(Quiescer.latest("unknown command\n")).isZero();
  }

  @Test
  void compilersAreAwaitedThenMemoryIsGivenBack() {
    List<String> answers = new ArrayList<>(List.of(COMPILING, WAITING, IDLE, "trimmed"));
    DiagnosticCommands scripted =
        command -> {
          commands.add(command);
          return answers.remove(0);
        };
    assertThat(new Quiescer(clock, scripted, collects).quiesce(false)).isEmpty();
    assertThat(commands)
        .containsExactly(
            "Compiler.queue", "Compiler.queue", "Compiler.queue", "System.trim_native_heap");
  }

  @Test
  void compilersThatNeverRestAreNotAwaitedForEver() {
    DiagnosticCommands busy = command -> COMPILING;
    assertThat(new Quiescer(clock, busy, collects).quiesce(false))
        .singleElement()
        .asString()
        .contains("still busy after 10 s");
    assertThat(clock.nanoTime()).isBetween(10_000_000_000L, 10_100_000_000L);
  }

  @Test
  void afterCallsTheJvmGetsTimeForItsHousekeepingBeforeMemoryIsGivenBack() {
    List<Long> trimmedAt = new ArrayList<>();
    DiagnosticCommands idle =
        command -> {
          if (command.equals("System.trim_native_heap")) {
            trimmedAt.add(clock.nanoTime());
          }
          return IDLE;
        };
    new Quiescer(clock, idle, collects).quiesce(true);
    assertThat(trimmedAt)
        .singleElement()
        .satisfies(at -> assertThat(at).isGreaterThan(5_000_000_000L));
  }

  @Test
  void whatThisJvmCannotDoIsNoted() {
    DiagnosticCommands none =
        command -> {
          throw new DiagnosticCommands.UnavailableException(command + ": unknown");
        };
    assertThat(new Quiescer(clock, none, timeoutMillis -> false).quiesce(false))
        .satisfiesExactly(
            note -> assertThat(note).contains("compilers", "Compiler.queue: unknown"),
            note -> assertThat(note).contains("DisableExplicitGC"),
            note -> assertThat(note).contains("System.trim_native_heap: unknown"));
  }

  @Test
  void aCollectionIsSeen() {
    assertThat(new Collector.OfThisJvm().collect(30_000)).isTrue();
  }
}
