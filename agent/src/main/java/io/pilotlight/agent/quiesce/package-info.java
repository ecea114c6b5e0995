/** Making a warmed JVM quiet and small before it is frozen. */
@NullMarked
package io.pilotlight.agent.quiesce;

import org.jspecify.annotations.NullMarked;
