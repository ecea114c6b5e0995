/** The -javaagent that hosts a function in a zygote and its clones. */
@NullMarked
package io.pilotlight.agent;

import org.jspecify.annotations.NullMarked;
