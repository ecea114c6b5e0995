package io.pilotlight.examples.orders;

import java.math.BigDecimal;
import java.util.Currency;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Checks an order against the rules of the shop; the first broken rule is reported. */
final class OrderValidator {
  private static final Pattern ORDER_ID = Pattern.compile("ORD-\\d{4,12}");
  private static final Pattern SKU = Pattern.compile("[A-Z]{2,4}-\\d{2,6}");
  private static final Pattern EMAIL = Pattern.compile("[^@\\s]{1,64}@[^@\\s]+\\.[^@\\s.]{2,}");
  private static final Set<String> COUNTRIES = Set.of(Locale.getISOCountries());
  private static final int MAX_LINES = 100;
  private static final int MAX_QUANTITY = 10_000;

  void validate(Order order) {
    matches(ORDER_ID, "orderId", order.orderId());
    Order.Customer customer = order.customer();
    require(customer != null, "customer", "is missing");
    require(isPresent(customer.name()), "customer.name", "is missing");
    matches(EMAIL, "customer.email", customer.email());
    require(
        customer.country() != null && COUNTRIES.contains(customer.country()),
        "customer.country",
        "'" + customer.country() + "' is not an ISO 3166 code");
    currency(order.currency());
    lines(order.lines());
  }

  private static void currency(@Nullable String code) {
    require(isPresent(code), "currency", "is missing");
    try {
      Currency.getInstance(code);
    } catch (IllegalArgumentException e) {
      throw new InvalidOrderException("currency '" + code + "' is not an ISO 4217 code");
    }
  }

  private static void lines(@Nullable List<Order.Line> lines) {
    if (lines == null || lines.isEmpty()) {
      throw new InvalidOrderException("lines is empty");
    }
    require(lines.size() <= MAX_LINES, "lines", "has more than " + MAX_LINES + " entries");
    Set<String> skus = new HashSet<>();
    for (int i = 0; i < lines.size(); i++) {
      Order.Line line = lines.get(i);
      String at = "lines[" + i + "].";
      matches(SKU, at + "sku", line.sku());
      require(skus.add(line.sku()), at + "sku", "'" + line.sku() + "' occurs twice");
      require(
          line.quantity() >= 1 && line.quantity() <= MAX_QUANTITY,
          at + "quantity",
          line.quantity() + " is not within 1 to " + MAX_QUANTITY);
      BigDecimal price = line.unitPrice();
      require(
          price != null && price.signum() > 0,
          at + "unitPrice",
          "'" + price + "' is not a positive amount");
    }
  }

  private static void matches(Pattern pattern, String field, @Nullable String value) {
    require(
        value != null && pattern.matcher(value).matches(),
        field,
        "'" + value + "' does not match " + pattern);
  }

  private static boolean isPresent(@Nullable String value) {
    return value != null && !value.isBlank();
  }

  private static void require(boolean holds, String field, String problem) {
    if (!holds) {
      throw new InvalidOrderException(field + " " + problem);
    }
  }
}
