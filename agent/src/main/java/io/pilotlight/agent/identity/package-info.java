/** What a clone must not share with its zygote, and how it is renewed before user code runs. */
@NullMarked
package io.pilotlight.agent.identity;

import org.jspecify.annotations.NullMarked;
