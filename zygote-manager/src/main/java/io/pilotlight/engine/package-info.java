/**
 * Making clones of a frozen process: the resident routine, its installation, the connection to it.
 */
@NullMarked
package io.pilotlight.engine;

import org.jspecify.annotations.NullMarked;
