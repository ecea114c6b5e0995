/** What this machine can do for Pilotlight, and what to do about the rest. */
@NullMarked
package io.pilotlight.cli.doctor;

import org.jspecify.annotations.NullMarked;
