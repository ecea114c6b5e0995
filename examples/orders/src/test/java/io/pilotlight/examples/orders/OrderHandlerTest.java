package io.pilotlight.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OrderHandlerTest {
  private final OrderHandler handler = new OrderHandler(Map.of("RECEIPTS_BUCKET", "bills"));
  private final ObjectMapper json = new ObjectMapper();

  @Test
  void confirmsTheExampleOrder() throws IOException {
    JsonNode answer = json.readTree(handle(exampleOrder()));

    assertThat(answer.path("orderId").asText()).isEqualTo("ORD-100042");
    assertThat(answer.path("itemCount").asInt()).isEqualTo(13);
    assertThat(answer.path("subtotal").decimalValue()).isEqualByComparingTo("71.30");
    assertThat(answer.path("tax").decimalValue()).isEqualByComparingTo("13.55");
    assertThat(answer.path("total").decimalValue()).isEqualByComparingTo("84.85");
    assertThat(answer.path("receiptUrl").asText())
        .startsWith("https://bills.s3.eu-central-1.amazonaws.com/DE/ORD-100042.pdf?")
        .contains("X-Amz-Signature=", "X-Amz-Expires=43200");
  }

  @Test
  void signsDifferentOrdersDifferently() throws IOException {
    String first = exampleOrder();
    String second = first.replace("ORD-100042", "ORD-100043");

    assertThat(signature(first)).isNotEqualTo(signature(second));
  }

  @Test
  void roundsToTheUnitOfTheCurrency() throws IOException {
    String yen = exampleOrder().replace("EUR", "JPY").replace("24.90", "1200.4");

    assertThat(json.readTree(handle(yen)).path("subtotal").decimalValue().scale()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ORD-100042      | 42                 | orderId '42' does not match",
        "ada@example.com | nobody             | customer.email 'nobody' does not match",
        "\"DE\"          | \"XX\"             | customer.country 'XX' is not an ISO 3166 code",
        "EUR             | EURO               | currency 'EURO' is not an ISO 4217 code",
        "PEN-007         | BK-1843            | lines[1].sku 'BK-1843' occurs twice",
        "\"quantity\": 2 | \"quantity\": 0    | lines[0].quantity 0 is not within",
        "24.90           | -1                 | lines[0].unitPrice '-1' is not a positive amount",
        "\"lines\"       | \"unknown\": 1, \"x\" | Unrecognized field \"unknown\"",
      })
  void refusesAnInvalidOrderNamingTheField(String valid, String invalid, String message)
      throws IOException {
    String order = exampleOrder();
    assertThat(order).contains(valid);

    assertThatThrownBy(() -> handle(order.replace(valid, invalid)))
        .isInstanceOfAny(InvalidOrderException.class, JsonProcessingException.class)
        .hasMessageContaining(message);
  }

  @Test
  void refusesWhatIsNotJson() {
    assertThatThrownBy(() -> handle("order?")).isInstanceOf(JsonProcessingException.class);
  }

  private String signature(String order) throws IOException {
    String url = json.readTree(handle(order)).path("receiptUrl").asText();
    return url.substring(url.indexOf("X-Amz-Signature="));
  }

  private String handle(String order) throws IOException {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    handler.handleRequest(
        new ByteArrayInputStream(order.getBytes(StandardCharsets.UTF_8)), output, null);
    return output.toString(StandardCharsets.UTF_8);
  }

  private static String exampleOrder() throws IOException {
    try (InputStream in = OrderHandler.class.getResourceAsStream("/examples/order.json")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
