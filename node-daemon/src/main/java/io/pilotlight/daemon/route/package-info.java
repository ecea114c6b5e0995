/** Chooses the process that serves an invocation. */
@NullMarked
package io.pilotlight.daemon.route;

import org.jspecify.annotations.NullMarked;
