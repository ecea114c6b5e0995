package io.pilotlight.zygote;

import java.util.Map;

/**
 * One call of a function.
 *
 * @param requestId its id
 * @param attributes see {@link io.pilotlight.agent.wire.Frame.InvokeAttributes}
 * @param payload the event
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, and a copy would cost on every call
public record Invocation(String requestId, Map<String, String> attributes, byte[] payload) {}
