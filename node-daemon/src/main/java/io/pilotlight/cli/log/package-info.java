/** A log for commands that live for a moment. */
@NullMarked
package io.pilotlight.cli.log;

import org.jspecify.annotations.NullMarked;
