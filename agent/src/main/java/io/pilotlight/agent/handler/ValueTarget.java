package io.pilotlight.agent.handler;

import org.jspecify.annotations.Nullable;

/** A handler that takes a value and answers with one. */
@FunctionalInterface
public interface ValueTarget {
  /** Calls the handler; lets whatever it throws pass. */
  @Nullable Object apply(@Nullable Object input, Call call) throws Throwable;
}
