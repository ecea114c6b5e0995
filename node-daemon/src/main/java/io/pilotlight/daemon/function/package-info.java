/** Functions: their definitions, the store of their jars, their deployment and its life. */
@NullMarked
package io.pilotlight.daemon.function;

import org.jspecify.annotations.NullMarked;
