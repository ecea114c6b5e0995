/** The smallest function. */
@NullMarked
package io.pilotlight.examples.hello;

import org.jspecify.annotations.NullMarked;
