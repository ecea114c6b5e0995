/** Time as the agent sees it, so that tests can set it. */
@NullMarked
package io.pilotlight.agent.clock;

import org.jspecify.annotations.NullMarked;
