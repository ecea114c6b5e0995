/** Clock and background work, both injected so that tests decide when time passes. */
@NullMarked
package io.pilotlight.daemon.time;

import org.jspecify.annotations.NullMarked;
