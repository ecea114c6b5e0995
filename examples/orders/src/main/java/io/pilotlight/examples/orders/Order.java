package io.pilotlight.examples.orders;

import java.math.BigDecimal;
import java.util.List;

/**
 * An order as the shop sends it.
 *
 * @param orderId its number, {@code ORD-} and digits
 * @param customer who ordered
 * @param currency ISO 4217 code
 * @param lines what was ordered
 */
record Order(String orderId, Customer customer, String currency, List<Line> lines) {

  /**
   * Who ordered.
   *
   * @param name for the receipt
   * @param email where the receipt goes
   * @param country ISO 3166 code, decides the tax
   */
  record Customer(String name, String email, String country) {}

  /**
   * One article.
   *
   * @param sku the article
   * @param quantity how many
   * @param unitPrice price of one, without tax
   */
  record Line(String sku, int quantity, BigDecimal unitPrice) {}
}
