package io.pilotlight.examples.orders;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;

/**
 * Confirms an order: parses and validates it, adds it up, and signs a link to its receipt. Mapper
 * and signer are made once, with the handler; nothing is kept from one order to the next.
 */
public final class OrderHandler implements RequestStreamHandler {
  private final ObjectReader orders;
  private final ObjectWriter confirmations;
  private final OrderValidator validator = new OrderValidator();
  private final ReceiptLinks receipts;

  /** Called once, by the platform. */
  public OrderHandler() {
    this(System.getenv());
  }

  OrderHandler(Map<String, String> environment) {
    JsonMapper mapper =
        JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
            .build();
    this.orders = mapper.readerFor(Order.class);
    this.confirmations = mapper.writerFor(Confirmation.class);
    // AWS's documentation uses this pair of keys in its examples: it opens nothing.
    AwsBasicCredentials credentials =
        AwsBasicCredentials.create(
            environment.getOrDefault("RECEIPTS_ACCESS_KEY", "AKIAIOSFODNN7EXAMPLE"),
            environment.getOrDefault(
                "RECEIPTS_SECRET_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
    this.receipts =
        new ReceiptLinks(
            StaticCredentialsProvider.create(credentials),
            Region.of(environment.getOrDefault("RECEIPTS_REGION", "eu-central-1")),
            environment.getOrDefault("RECEIPTS_BUCKET", "receipts.example"));
  }

  @Override
  public void handleRequest(InputStream input, OutputStream output, Context context)
      throws IOException {
    Order order = orders.readValue(input);
    validator.validate(order);
    confirmations.writeValue(
        output,
        new Confirmation(
            order.orderId(), order.currency(), Totals.of(order), receipts.linkFor(order)));
  }
}
