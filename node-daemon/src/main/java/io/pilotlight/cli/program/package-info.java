/** What {@code pilotlight run}, {@code checkpoint} and {@code restore} are made of. */
@NullMarked
package io.pilotlight.cli.program;

import org.jspecify.annotations.NullMarked;
