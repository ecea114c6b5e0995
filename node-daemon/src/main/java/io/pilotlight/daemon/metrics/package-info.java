/** What the daemon measures of itself. */
@NullMarked
package io.pilotlight.daemon.metrics;

import org.jspecify.annotations.NullMarked;
