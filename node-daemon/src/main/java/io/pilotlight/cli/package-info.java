/** The command line: one class per command, a client of the daemon's HTTP API. */
@NullMarked
package io.pilotlight.cli;

import org.jspecify.annotations.NullMarked;
