/** An order desk: totals an order and signs a link to its receipt. */
@NullMarked
package io.pilotlight.examples.orders;

import org.jspecify.annotations.NullMarked;
