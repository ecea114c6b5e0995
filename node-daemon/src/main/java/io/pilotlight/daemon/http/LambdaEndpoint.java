package io.pilotlight.daemon.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.agent.wire.Frame.InvokeAttributes;
import io.pilotlight.daemon.function.Deployment;
import io.pilotlight.daemon.function.FunctionDefinition;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.route.Call;
import io.pilotlight.daemon.route.Outcome;
import io.pilotlight.daemon.route.Router;
import io.pilotlight.daemon.route.Served;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /2015-03-31/functions/{name}/invocations}: the Lambda Invoke API. Whatever goes wrong
 * in a function is a 200, as AWS answers: its clients would send the request again otherwise.
 * Thread-safe.
 */
final class LambdaEndpoint {
  /** An invocation without a payload gets an empty object, as on AWS. */
  private static final byte[] NO_PAYLOAD = "{}".getBytes(StandardCharsets.UTF_8);

  private final FunctionRegistry registry;
  private final Router router;
  private final EventQueue events;
  private final ObjectMapper json;
  private final LambdaErrors errors;
  private final int maxRequestBytes;

  LambdaEndpoint(
      FunctionRegistry registry,
      Router router,
      EventQueue events,
      ObjectMapper json,
      int maxRequestBytes,
      int maxAnswerBytes) {
    this.registry = registry;
    this.router = router;
    this.events = events;
    this.json = json;
    this.errors = new LambdaErrors(json, maxAnswerBytes);
    this.maxRequestBytes = maxRequestBytes;
  }

  LambdaErrors errors() {
    return errors;
  }

  void invoke(String pathName, Exchange exchange) throws IOException {
    String requestId = RequestIds.next();
    exchange.answerHeader("x-amzn-RequestId", requestId);
    LambdaFunctionName name;
    try {
      name = LambdaFunctionName.parse(pathName, exchange.query("Qualifier")).orElse(null);
    } catch (Exchange.MalformedQueryException e) {
      errors.refuse(
          exchange, 400, "InvalidParameterValueException", String.valueOf(e.getMessage()));
      return;
    }
    if (name == null) {
      errors.refuse(
          exchange,
          400,
          "InvalidParameterValueException",
          "'" + pathName + "' is not a function name, partial ARN or ARN");
      return;
    }
    ServedFunction function = registry.find(name.name());
    Deployment current = function == null ? null : function.current();
    if (function == null || (current != null && !name.accepts(current.definition().version()))) {
      errors.notFound(exchange, name);
      return;
    }
    try {
      byte[] payload = exchange.body(maxRequestBytes);
      Invocation invocation =
          new Invocation(
              requestId,
              attributes(name, exchange.header("X-Amz-Client-Context")),
              payload.length == 0 ? NO_PAYLOAD : checked(payload));
      dispatch(name, function, invocation, exchange);
    } catch (RequestBody.TooLargeException e) {
      exchange.lastOnConnection();
      errors.refuse(exchange, 413, "RequestTooLargeException", String.valueOf(e.getMessage()));
    } catch (InvalidContentException e) {
      errors.refuse(
          exchange, 400, "InvalidRequestContentException", String.valueOf(e.getMessage()));
    }
  }

  /** The payload or the client context is not what it has to be. */
  private static final class InvalidContentException extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidContentException(String message) {
      super(message);
    }
  }

  private static Map<String, String> attributes(
      LambdaFunctionName name, @Nullable String clientContext) throws InvalidContentException {
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put(InvokeAttributes.INVOKED_FUNCTION_ARN, name.arn());
    if (clientContext != null) {
      try {
        attributes.put(
            InvokeAttributes.CLIENT_CONTEXT,
            new String(Base64.getDecoder().decode(clientContext), StandardCharsets.UTF_8));
      } catch (IllegalArgumentException e) {
        throw new InvalidContentException(
            "Client context must be a valid Base64-encoded JSON object: " + e.getMessage());
      }
    }
    return attributes;
  }

  /** AWS refuses what is no JSON before the function sees it, whatever the handler. */
  private byte[] checked(byte[] payload) throws InvalidContentException {
    try (JsonParser parser = json.getFactory().createParser(payload)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw new InvalidContentException("Could not parse request body into json: it is empty");
      }
      parser.skipChildren();
      if (parser.nextToken() != null) {
        throw new InvalidContentException(
            "Could not parse request body into json: something follows the first value");
      }
      return payload;
    } catch (IOException e) { // of bytes in memory: they are no JSON
      throw new InvalidContentException(
          "Could not parse request body into json: " + e.getMessage());
    }
  }

  private void dispatch(
      LambdaFunctionName name, ServedFunction function, Invocation invocation, Exchange exchange) {
    String type = exchange.header("X-Amz-Invocation-Type");
    switch (type == null ? "RequestResponse" : type) {
      case "RequestResponse" -> call(name, function, invocation, exchange);
      case "Event" -> {
        if (events.offer(function, invocation)) {
          exchange.json(202, new byte[0]);
        } else {
          errors.refuse(
              exchange,
              429,
              "TooManyRequestsException",
              "Rate Exceeded: as many events are waiting as this daemon holds.");
        }
      }
      case "DryRun" -> exchange.empty(204);
      default ->
          errors.refuse(
              exchange,
              400,
              "InvalidParameterValueException",
              "X-Amz-Invocation-Type is '"
                  + type
                  + "'; RequestResponse, Event or DryRun is allowed");
    }
  }

  private void call(
      LambdaFunctionName name, ServedFunction function, Invocation invocation, Exchange exchange) {
    boolean wantsLog = "Tail".equals(exchange.header("X-Amz-Log-Type"));
    Deployment current = function.current();
    Call call = new Call(invocation, null, exchange.acceptedNanos(), wantsLog);
    try (Served served = router.invoke(function, call)) {
      Outcome outcome = served.outcome();
      if (outcome instanceof Outcome.Handed handed) {
        InvocationEndpoint.describe(handed, exchange);
      }
      ObjectNode error = errors.functionError(invocation.requestId(), outcome);
      Reply reply = outcome instanceof Outcome.Answered answered ? answered.reply() : null;
      if (error == null && !(reply instanceof Reply.Success)) {
        errors.refuse(exchange, name, outcome);
        return;
      }
      if (current != null) {
        FunctionDefinition definition = current.definition();
        exchange.answerHeader("X-Amz-Executed-Version", Integer.toString(definition.version()));
        if (wantsLog) {
          exchange.answerHeader(
              "X-Amz-Log-Result", LambdaLog.tail(invocation.requestId(), definition, outcome));
        }
      }
      if (error != null) {
        exchange.answerHeader("X-Amz-Function-Error", "Unhandled");
        exchange.json(200, error);
      } else if (reply instanceof Reply.Success success) {
        exchange.json(200, success.payload());
      }
    }
  }
}
