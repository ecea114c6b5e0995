package io.pilotlight.agent.aws;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import io.pilotlight.agent.handler.Call;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A call as the handler sees it. */
final class LambdaContext implements Context {
  private final Call call;

  LambdaContext(Call call) {
    this.call = call;
  }

  @Override
  public String getAwsRequestId() {
    return call.requestId();
  }

  @Override
  public String getLogGroupName() {
    return call.function().logGroup();
  }

  @Override
  public String getLogStreamName() {
    return call.function().logStream();
  }

  @Override
  public String getFunctionName() {
    return call.function().name();
  }

  @Override
  public String getFunctionVersion() {
    return call.function().version();
  }

  @Override
  public String getInvokedFunctionArn() {
    return call.invokedArn();
  }

  @Override
  public CognitoIdentity getIdentity() {
    return new NoIdentity();
  }

  @Override
  public @Nullable ClientContext getClientContext() {
    Map<String, Object> json = call.clientContext();
    return json == null ? null : new LambdaClientContext(json);
  }

  @Override
  public int getRemainingTimeInMillis() {
    return call.remainingMillis();
  }

  @Override
  public int getMemoryLimitInMB() {
    return call.function().memoryMib();
  }

  @Override
  public LambdaLogger getLogger() {
    return new ConsoleLogger();
  }

  /** No call comes by the mobile SDK, so nobody has an identity there. */
  private static final class NoIdentity implements CognitoIdentity {
    @Override
    public @Nullable String getIdentityId() {
      return null;
    }

    @Override
    public @Nullable String getIdentityPoolId() {
      return null;
    }
  }
}
