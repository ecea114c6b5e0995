package io.pilotlight.cli.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.CliException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A function of the {@code examples} directory: where it is, how to call it, what is right. */
public enum Example {
  /** The smallest function. */
  HELLO("hello.HelloHandler", "examples/hello.json", 2_000) {
    @Override
    JsonNode vary(ObjectNode event, int n) {
      return event.put("name", "Ada " + n);
    }

    @Override
    Optional<String> problem(JsonNode event, JsonNode answer) {
      return expect(answer, "message", "Hello, " + event.path("name").asText() + "!");
    }
  },

  /** Jackson and the AWS SDK. */
  ORDERS("orders.OrderHandler", "examples/order.json", 5_000) {
    @Override
    JsonNode vary(ObjectNode event, int n) {
      event.put("orderId", "ORD-%07d".formatted(n));
      ((ObjectNode) event.path("lines").path(0)).put("quantity", 1 + n % 97);
      return event;
    }

    @Override
    Optional<String> problem(JsonNode event, JsonNode answer) {
      String id = event.path("orderId").asText();
      int quantity = event.path("lines").path(0).path("quantity").asInt();
      String url = answer.path("receiptUrl").asText();
      if (!url.contains("/" + id + ".pdf?") || !url.contains("X-Amz-Signature=")) {
        return Optional.of("receiptUrl '" + url + "' is not a signed link for " + id);
      }
      // The example's other two lines are 10 at 1.35 and 1 at 8.00; its customer is in Germany.
      long subtotalCents = quantity * 2490L + 10 * 135 + 800;
      long taxCents = (subtotalCents * 19 + 50) / 100;
      long totalCents = Math.round(answer.path("total").asDouble() * 100);
      return totalCents == subtotalCents + taxCents
          ? expect(answer, "orderId", id)
          : Optional.of("total is " + answer.path("total") + " for a quantity of " + quantity);
    }
  },

  /** ImageIO and Java2D. */
  THUMBNAIL("thumbnail.ThumbnailHandler", "examples/photo.json", 300) {
    @Override
    JsonNode vary(ObjectNode event, int n) {
      return event.put("width", 120 + n % 80);
    }

    @Override
    Optional<String> problem(JsonNode event, JsonNode answer) {
      // The first eight bytes of every PNG, in base64.
      return answer.path("image").asText().startsWith("iVBORw0KGg")
          ? expect(answer, "width", event.path("width").asText())
          : Optional.of("image is not a PNG");
    }
  };

  private static final String PACKAGE = "io.pilotlight.examples.";

  /** Warm-up has events of its own: none that is measured has been seen before. */
  private static final int FIRST_WARMUP = 5_000_000;

  private static final int WARMUP_EVENTS = 20;

  private final String handler;
  private final String payload;
  private final int warmupCount;

  Example(String handler, String payload, int warmupCount) {
    this.handler = handler;
    this.payload = payload;
    this.warmupCount = warmupCount;
  }

  /** Makes the example's event differ. */
  abstract JsonNode vary(ObjectNode event, int n);

  /** What is wrong with an answer. */
  abstract Optional<String> problem(JsonNode event, JsonNode answer);

  /** The function's name. */
  public String functionName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The example of this name. */
  public static Example named(String name) throws CliException {
    for (Example example : values()) {
      if (example.functionName().equals(name)) {
        return example;
      }
    }
    throw new CliException(
        "there is no example '"
            + name
            + "'; the examples are "
            + Arrays.stream(values()).map(Example::functionName).toList());
  }

  /** The example's jar below Pilotlight's home directory. */
  public Path jar(Path home) throws CliException {
    Path jar = home.resolve("examples/%1$s/target/%1$s.jar".formatted(functionName()));
    if (!Files.isReadable(jar)) {
      throw new CliException(
          "the example's jar "
              + jar
              + " is not there: run ./pilotlight, which builds it, or mvn package");
    }
    return jar;
  }

  /** What to deploy, warm-up included. */
  public ObjectNode definition(Path home) throws CliException {
    Path jar = jar(home);
    ObjectNode definition = new ObjectMapper().createObjectNode();
    definition.putArray("jars").add(jar.toString());
    definition.put("handler", PACKAGE + handler);
    definition.put("warmupCount", warmupCount);
    ArrayNode payloads = definition.putArray("warmupPayloads");
    ObjectNode event = event(jar);
    for (int n = 0; n < WARMUP_EVENTS; n++) {
      payloads.add(vary(event.deepCopy(), FIRST_WARMUP + n));
    }
    return definition;
  }

  /** Its calls. */
  public Workload workload(Path home) throws CliException {
    ObjectNode event = event(jar(home));
    ObjectMapper mapper = new ObjectMapper();
    return new Workload() {
      @Override
      public byte[] payload(int n) {
        try {
          return mapper.writeValueAsBytes(vary(event.deepCopy(), n));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }

      @Override
      public Optional<String> problem(int n, byte[] answer) {
        try {
          return Example.this.problem(vary(event.deepCopy(), n), mapper.readTree(answer));
        } catch (IOException e) {
          return Optional.of("not JSON: " + e.getMessage());
        }
      }
    };
  }

  private ObjectNode event(Path jar) throws CliException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry entry = zip.getEntry(payload);
      if (entry == null) {
        throw new CliException(jar + " has no " + payload + ": build it again");
      }
      try (InputStream in = zip.getInputStream(entry)) {
        return (ObjectNode) new ObjectMapper().readTree(in);
      }
    } catch (IOException e) {
      throw new CliException(jar + " cannot be read: " + e);
    }
  }

  private static Optional<String> expect(JsonNode answer, String field, String value) {
    String found = answer.path(field).asText();
    return found.equals(value)
        ? Optional.empty()
        : Optional.of(field + " is '" + found + "', not '" + value + "'");
  }
}
