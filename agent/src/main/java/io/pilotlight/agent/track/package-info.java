/** Keeps account of where descriptors were opened, if the function's owner wants to know. */
@NullMarked
package io.pilotlight.agent.track;

import org.jspecify.annotations.NullMarked;
