package io.pilotlight.daemon.route;

import io.pilotlight.daemon.pool.Start;
import io.pilotlight.zygote.Invocation;
import org.jspecify.annotations.Nullable;

/**
 * An invocation to be served.
 *
 * @param invocation what the function gets
 * @param asked the start that the caller asks for, or null for the fastest that is possible
 * @param acceptedNanos when the daemon had the request's headers, by the node's clock
 * @param wantsLog whether the caller wants the end of what the function writes meanwhile
 */
public record Call(
    Invocation invocation, @Nullable Start asked, long acceptedNanos, boolean wantsLog) {}
