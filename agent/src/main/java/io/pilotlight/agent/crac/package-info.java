/** Checkpoint and restore for org.crac, on a JDK that has neither. */
@NullMarked
package io.pilotlight.agent.crac;

import org.jspecify.annotations.NullMarked;
