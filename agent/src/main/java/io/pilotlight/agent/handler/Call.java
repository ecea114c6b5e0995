package io.pilotlight.agent.handler;

import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.Frame.InvokeAttributes;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One call: what {@code Context} is made of. */
public final class Call {
  private final HostedFunction function;
  private final Frame.Invoke frame;
  private final @Nullable Map<String, Object> clientContext;

  Call(HostedFunction function, Frame.Invoke frame, @Nullable Map<String, Object> clientContext) {
    this.function = function;
    this.frame = frame;
    this.clientContext = clientContext;
  }

  /** The function that is called. */
  public HostedFunction function() {
    return function;
  }

  /** The request's id. */
  public String requestId() {
    return frame.requestId();
  }

  /** The ARN under which the function was called. */
  public String invokedArn() {
    String arn = frame.attributes().get(InvokeAttributes.INVOKED_FUNCTION_ARN);
    return arn == null ? function.arn() : arn;
  }

  /** How long the caller still waits; 0 when it has given up. */
  public int remainingMillis() {
    long left = frame.deadlineEpochMillis() - function.clock().epochMillis();
    return (int) Math.max(0, Math.min(Integer.MAX_VALUE, left));
  }

  /** The client context's JSON object, or null if the call came without. */
  public @Nullable Map<String, Object> clientContext() {
    return clientContext;
  }
}
