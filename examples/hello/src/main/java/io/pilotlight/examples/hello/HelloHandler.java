package io.pilotlight.examples.hello;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** Greets whoever is named in the request. */
public final class HelloHandler implements RequestHandler<HelloRequest, HelloResponse> {

  @Override
  public HelloResponse handleRequest(HelloRequest request, Context context) {
    String name = request.getName().strip();
    return new HelloResponse("Hello, " + (name.isEmpty() ? "world" : name) + "!");
  }
}
