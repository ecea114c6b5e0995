/** Processes that wait for an invocation: clones that served before, and clones forked ahead. */
@NullMarked
package io.pilotlight.daemon.pool;

import org.jspecify.annotations.NullMarked;
