package io.pilotlight.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.it.support.Api;
import io.pilotlight.it.support.Api.Answer;
import io.pilotlight.it.support.DaemonProcess;
import io.pilotlight.it.support.Daemons;
import io.pilotlight.it.support.TestJvm;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipFile;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The functions of examples/, each by each start. */
final class ExamplesIT {
  private static final List<String> STARTS = List.of("cold", "pool", "fork", "warm");

  @RegisterExtension static final Daemons daemons = new Daemons();
  private static DaemonProcess daemon;

  @BeforeAll
  static void start() throws Exception {
    daemon = daemons.start();
  }

  private static ObjectNode event(String example, String entry) throws Exception {
    try (ZipFile jar = new ZipFile(TestJvm.example(example).toFile());
        var in = jar.getInputStream(jar.getEntry("examples/" + entry))) {
      return (ObjectNode) Api.json(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  private static void deploy(String example, String handler, JsonNode event) throws Exception {
    Path jar = TestJvm.example(example);
    ObjectNode definition = Api.usual(jar, "io.pilotlight.examples." + handler);
    definition.put("memoryMib", 256).put("pool", 1).put("warmupCount", 5);
    definition.set("warmupPayload", event);
    assertThat(daemon.api().deployed(example, definition).get("warnings")).isEmpty();
    daemon.api().awaitClones(example, "waiting", 1);
  }

  private static JsonNode call(String example, String start, JsonNode event) throws Exception {
    Answer answer = daemon.api().invoke(example, event.toString(), "Pilotlight-Start", start);
    assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
    assertThat(answer.start()).isEqualTo(start);
    return answer.json();
  }

  @Test
  void hello() throws Exception {
    ObjectNode event = event("hello", "hello.json");
    deploy("hello", "hello.HelloHandler", event);
    for (String start : STARTS) {
      JsonNode answer = call("hello", start, event.put("name", "a caller by " + start));
      assertThat(answer.elements().next().asText()).isEqualTo("Hello, a caller by " + start + "!");
    }
  }

  @Test
  void orders() throws Exception {
    ObjectNode event = event("orders", "order.json");
    deploy("orders", "orders.OrderHandler", event);
    Set<String> links = new HashSet<>();
    for (String start : STARTS) {
      String id = "ORD-20000" + STARTS.indexOf(start);
      JsonNode answer = call("orders", start, event.put("orderId", id));
      assertThat(answer.get("orderId").asText()).isEqualTo(id);
      assertThat(answer.get("itemCount").asInt()).isEqualTo(13);
      assertThat(answer.get("subtotal").asText()).isEqualTo("71.3");
      assertThat(answer.get("total").asDouble()).isEqualTo(84.85);
      assertThat(answer.get("receiptUrl").asText())
          .startsWith("https://")
          .contains("/" + id + ".pdf?")
          .containsPattern("X-Amz-Signature=[0-9a-f]{64}");
      links.add(answer.get("receiptUrl").asText());
    }
    assertThat(links).hasSize(STARTS.size());
  }

  @Test
  void thumbnail() throws Exception {
    ObjectNode event = event("thumbnail", "photo.json");
    deploy("thumbnail", "thumbnail.ThumbnailHandler", event);
    for (String start : STARTS) {
      int width = 100 + 10 * STARTS.indexOf(start);
      JsonNode answer = call("thumbnail", start, event.put("width", width));
      byte[] png = Base64.getDecoder().decode(answer.get("image").asText());
      BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
      assertThat(image.getWidth()).isEqualTo(width).isEqualTo(answer.get("width").asInt());
      assertThat(image.getHeight()).isEqualTo(answer.get("height").asInt());
      assertThat(colours(image)).isGreaterThan(100);
    }
  }

  private static int colours(BufferedImage image) {
    Set<Integer> colours = new HashSet<>();
    for (int x = 0; x < image.getWidth(); x++) {
      for (int y = 0; y < image.getHeight(); y++) {
        colours.add(image.getRGB(x, y));
      }
    }
    return colours.size();
  }
}
