/** What a node runs: configuration, start and graceful end. */
@NullMarked
package io.pilotlight.daemon;

import org.jspecify.annotations.NullMarked;
