/** Measures what a start costs, against a real daemon, from the client's side. */
@NullMarked
package io.pilotlight.cli.bench;

import org.jspecify.annotations.NullMarked;
