package io.pilotlight.agent.handler;

/** The function's copy of the AWS Lambda interfaces; its types are named {@code Object} here. */
public interface AwsRuntime {
  /** A {@code Context} for {@code call}. */
  Object context(Call call);

  /** Calls {@code handler}, a {@code RequestHandler}. */
  ValueTarget requestHandler(Object handler);

  /** Calls {@code handler}, a {@code RequestStreamHandler}. */
  StreamTarget requestStreamHandler(Object handler);
}
