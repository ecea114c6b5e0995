/** Scales pictures. */
@NullMarked
package io.pilotlight.examples.thumbnail;

import org.jspecify.annotations.NullMarked;
