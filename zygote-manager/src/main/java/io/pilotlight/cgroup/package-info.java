/** Control groups, v1 and v2: what this process may use of them, and groups with limits. */
@NullMarked
package io.pilotlight.cgroup;

import org.jspecify.annotations.NullMarked;
