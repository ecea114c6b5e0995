/** A process held by ptrace: freezing it, reading its threads, running system calls in it. */
@NullMarked
package io.pilotlight.tracee;

import org.jspecify.annotations.NullMarked;
