/**
 * Descriptors that a JVM has open when it is frozen, and the rules of its owner about them. Knows
 * no kernel call.
 */
@NullMarked
package io.pilotlight.descriptor;

import org.jspecify.annotations.NullMarked;
