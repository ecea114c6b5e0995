package io.pilotlight.examples.orders;

import com.fasterxml.jackson.annotation.JsonUnwrapped;

/**
 * The answer.
 *
 * @param orderId the order's number
 * @param currency the currency of the totals
 * @param totals what it costs
 * @param receiptUrl where the receipt can be fetched for the next hours
 */
record Confirmation(
    String orderId, String currency, @JsonUnwrapped Totals totals, String receiptUrl) {}
