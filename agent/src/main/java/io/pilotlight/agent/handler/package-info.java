/** Finding a function's handler, giving it its input and taking its answer. */
@NullMarked
package io.pilotlight.agent.handler;

import org.jspecify.annotations.NullMarked;
