package io.pilotlight.examples.orders;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Currency;
import java.util.Map;

/**
 * What an order costs.
 *
 * @param itemCount articles in all
 * @param subtotal without tax
 * @param tax rounded half up to the currency's smallest unit
 * @param total what the customer pays
 */
record Totals(int itemCount, BigDecimal subtotal, BigDecimal tax, BigDecimal total) {
  private static final Map<String, BigDecimal> TAX_RATES =
      Map.of(
          "DE", new BigDecimal("0.19"),
          "FR", new BigDecimal("0.20"),
          "GB", new BigDecimal("0.20"),
          "SE", new BigDecimal("0.25"));

  /** Adds up a valid order. */
  static Totals of(Order order) {
    int digits = Math.max(0, Currency.getInstance(order.currency()).getDefaultFractionDigits());
    int items = 0;
    BigDecimal subtotal = BigDecimal.ZERO;
    for (Order.Line line : order.lines()) {
      items += line.quantity();
      subtotal = subtotal.add(line.unitPrice().multiply(BigDecimal.valueOf(line.quantity())));
    }
    subtotal = subtotal.setScale(digits, RoundingMode.HALF_UP);
    BigDecimal rate = TAX_RATES.getOrDefault(order.customer().country(), BigDecimal.ZERO);
    BigDecimal tax = subtotal.multiply(rate).setScale(digits, RoundingMode.HALF_UP);
    return new Totals(items, subtotal, tax, subtotal.add(tax));
  }
}
