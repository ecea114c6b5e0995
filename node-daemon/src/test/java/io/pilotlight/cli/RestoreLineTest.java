package io.pilotlight.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.cli.program.Restoration;
import io.pilotlight.cli.program.RestoreLine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What is read without picocli is what picocli reads. */
final class RestoreLineTest {
  private static Restoration byPicocli(String[] words) {
    RestoreCommand command = new RestoreCommand();
    String[] own = Arrays.copyOfRange(words, 1, words.length);
    new CommandLine(command).setExpandAtFiles(false).parseArgs(own);
    return command.restoration();
  }

  private static void same(String... words) throws Exception {
    Restoration light = RestoreLine.parse(words).orElseThrow();
    Restoration full = byPicocli(words);
    assertThat(light.image()).isEqualTo(full.image());
    assertThat(light.properties()).isEqualTo(full.properties());
    assertThat(light.arguments()).isEqualTo(full.arguments());
    assertThat(light.management().checkpoints()).isEqualTo(full.management().checkpoints());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "restore image",
        "restore @image",
        "restore -D a=b -Dc=d=e -D f= image",
        "restore image -D a=b",
        "restore --image other --keep-running image",
        "restore image -- Main",
        "restore image -- Main -x --keep-running -- y",
        "restore -- image Main -D a=b",
        "restore image Main x",
        "restore image --keep-running Main x"
      })
  void readsWhatPicocliReads(String line) throws Exception {
    same(line.split(" "));
  }

  @Test
  void readsAPolicy(@TempDir Path directory) throws Exception {
    Path rules = Files.writeString(directory.resolve("rules"), "type: SOCKET\naction: close\n");
    same("restore", "--fd-policy", rules.toString(), "image");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "restore",
        "restore --help",
        "restore image --help",
        "restore image --no-such-option",
        "restore --image",
        "restore --image -D a=b image",
        "restore --image=other image",
        "restore --keep-running --keep-running image",
        "restore -D a image",
        "restore -D =b image",
        "restore -D a=b -D a=c image",
        "run -- java Main",
        "help restore",
        "--version"
      })
  void leavesTheRestToPicocli(String line) {
    assertThat(RestoreLine.parse(line.split(" "))).isEmpty();
  }

  @Test
  void leavesNothingToPicocli() {
    assertThat(RestoreLine.parse()).isEmpty();
  }
}
