package io.pilotlight.daemon.function;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.engine.Isolation;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;

/** A body is a deploy request, which is stored as it is, or refused. */
@Timeout(60)
final class DeployRequestFuzzTest {
  private final ObjectMapper json = new ObjectMapper();
  private final SettingsJson settings =
      new SettingsJson(
          Path.of(System.getProperty("java.home")),
          AllowedRoots.everywhere(),
          () -> Isolation.NONE);

  @FuzzTest
  void bodyIsARequestOrRefused(byte[] body) throws IOException, InvalidFieldException {
    DeployRequest request;
    try {
      request = settings.deployRequest(json.readTree(body));
    } catch (InvalidFieldException e) {
      assertThat(e.field()).isNotNull();
      assertThat(json.readTree(json.writeValueAsBytes(e.getMessage())).isTextual()).isTrue();
      return;
    } catch (IOException e) {
      return; // no JSON
    }
    assertThat(request.jars()).isNotEmpty().allMatch(Path::isAbsolute);
    ObjectNode stored = json.createObjectNode();
    settings.writeToStore(request.settings(), stored);
    JsonNode again = json.readTree(json.writeValueAsBytes(stored));
    assertThat(settings.stored(again)).isEqualTo(request.settings());
    ObjectNode shown = json.createObjectNode();
    settings.write(request.settings(), shown);
    assertThat(json.readTree(json.writeValueAsBytes(shown)).isObject()).isTrue();
  }
}
