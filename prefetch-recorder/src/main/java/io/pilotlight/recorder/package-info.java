/** The working set of a function: what its calls touch, and what a clone touches ahead of them. */
@NullMarked
package io.pilotlight.recorder;

import org.jspecify.annotations.NullMarked;
