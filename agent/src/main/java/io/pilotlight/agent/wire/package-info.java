/**
 * The frames that the daemon and the agent exchange on a JVM's control channel: a stream socket
 * that is open in the JVM under a number given at its start.
 *
 * <p>This is the only package of the agent that other modules may use.
 */
@NullMarked
package io.pilotlight.agent.wire;

import org.jspecify.annotations.NullMarked;
