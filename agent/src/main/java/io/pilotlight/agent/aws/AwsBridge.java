package io.pilotlight.agent.aws;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import io.pilotlight.agent.handler.AwsRuntime;
import io.pilotlight.agent.handler.Call;
import io.pilotlight.agent.handler.StreamTarget;
import io.pilotlight.agent.handler.ValueTarget;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** The agent's way into the function's AWS interfaces. */
public final class AwsBridge implements AwsRuntime {
  /** Called by the agent's loader for bridges. */
  public AwsBridge() {}

  @Override
  public Object context(Call call) {
    return new LambdaContext(call);
  }

  @Override
  public ValueTarget requestHandler(Object handler) {
    return new RequestTarget(handler);
  }

  @Override
  public StreamTarget requestStreamHandler(Object handler) {
    return new RequestStreamTarget(handler);
  }

  private static final class RequestTarget implements ValueTarget {
    private final RequestHandler<@Nullable Object, @Nullable Object> handler;

    @SuppressWarnings("unchecked") // Its input is bound by its own declaration.
    RequestTarget(Object handler) {
      this.handler = (RequestHandler<@Nullable Object, @Nullable Object>) handler;
    }

    @Override
    public @Nullable Object apply(@Nullable Object input, Call call) {
      return handler.handleRequest(input, new LambdaContext(call));
    }
  }

  private static final class RequestStreamTarget implements StreamTarget {
    private final RequestStreamHandler handler;

    RequestStreamTarget(Object handler) {
      this.handler = (RequestStreamHandler) handler;
    }

    @Override
    public void handle(InputStream input, OutputStream output, Call call) throws IOException {
      handler.handleRequest(input, output, new LambdaContext(call));
    }
  }
}
