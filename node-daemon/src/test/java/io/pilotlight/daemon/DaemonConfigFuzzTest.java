package io.pilotlight.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.function.InvalidFieldException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A file is a configuration or refused. */
@Timeout(60)
final class DaemonConfigFuzzTest {
  /** What is looked up nowhere: an address, or what has no port. */
  private static final Pattern LITERAL =
      Pattern.compile("([0-9a-fA-F:\\[][^:]*:|\\d{1,2}(\\.\\d{1,2}){3}:).*|[^:]*", Pattern.DOTALL);

  @TempDir static Path directory;

  @FuzzTest
  void fileIsAConfigurationOrRefused(byte[] input) throws IOException {
    if (namesAHost(input)) {
      return;
    }
    DaemonConfig defaults = DaemonConfig.defaults(directory, directory.resolve("agent.jar"));
    Path file = Files.write(directory.resolve("config.json"), input);
    try {
      DaemonConfig config = defaults.withFile(file);
      assertThat(config.dataDirectory()).isAbsolute();
      assertThat(config.limits().maxThreads()).isPositive();
    } catch (InvalidFieldException e) {
      assertThat(e.getMessage()).isNotBlank();
      assertThat(e.field()).isNotNull();
    }
  }

  private static boolean namesAHost(byte[] input) {
    try {
      JsonNode listen = new ObjectMapper().readTree(input).path("listen");
      return listen.isTextual() && !LITERAL.matcher(listen.textValue()).matches();
    } catch (IOException e) {
      return false; // no JSON
    }
  }
}
