package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.metrics.NodeMetrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends each request to its endpoint. Runs on the thread that read the request. Thread-safe. */
final class RootHandler extends Handler.Abstract {
  private static final Logger log = LoggerFactory.getLogger(RootHandler.class);
  private static final String FUNCTIONS = "/v1/functions";
  private static final String INVOCATIONS = "/invocations";
  private static final String WORKING_SET = "/workingset";
  private static final String LAMBDA = "/2015-03-31/functions/";

  private static final Set<String> OPEN = Set.of("/healthz", "/readyz");

  private final @Nullable AccessToken token;
  private final ObjectMapper json;
  private final FunctionRegistry registry;
  private final FunctionsEndpoint functions;
  private final InvocationEndpoint invocations;
  private final LambdaEndpoint lambda;
  private final FunctionViews views;
  private final NodeMetrics metrics;
  private final InFlight inFlight;
  private final BooleanSupplier ready;

  RootHandler(
      @Nullable AccessToken token,
      ObjectMapper json,
      FunctionRegistry registry,
      FunctionsEndpoint functions,
      InvocationEndpoint invocations,
      LambdaEndpoint lambda,
      FunctionViews views,
      NodeMetrics metrics,
      InFlight inFlight,
      BooleanSupplier ready) {
    this.token = token;
    this.json = json;
    this.registry = registry;
    this.functions = functions;
    this.invocations = invocations;
    this.lambda = lambda;
    this.views = views;
    this.metrics = metrics;
    this.inFlight = inFlight;
    this.ready = ready;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    String path = request.getHttpURI().getPath();
    boolean toLambda = path.startsWith(LAMBDA);
    Exchange exchange = new Exchange(request, response, callback, json, inFlight);
    try {
      if (!OPEN.contains(path) && !allowed(exchange)) {
        unauthorized(toLambda, exchange);
        return true;
      }
      if (!toLambda && !path.startsWith(FUNCTIONS)) {
        // Health and what is held: answered also by a daemon that is full or is stopping.
        observe(path, exchange);
        return true;
      }
      InFlight.Admission admission = inFlight.enter();
      if (admission != InFlight.Admission.ADMITTED) {
        refuse(toLambda, admission, exchange);
        return true;
      }
      // Counted out when the answer has been sent, or cannot be sent any more.
      Request.addCompletionListener(request, failure -> inFlight.leave());
      if (toLambda) {
        routeLambda(path, exchange);
      } else {
        routeNative(path, exchange);
      }
    } catch (RequestBody.TooLargeException e) {
      exchange.lastOnConnection();
      exchange.problem(new Problem(413, "request-too-large", String.valueOf(e.getMessage())));
    } catch (IOException e) {
      log.atDebug().addKeyValue("path", path).addKeyValue("cause", e).log("request broken off");
      exchange.lastOnConnection();
      exchange.problem(new Problem(400, "request-broken-off", String.valueOf(e.getMessage())));
    } catch (RuntimeException e) {
      log.atError().addKeyValue("path", path).setCause(e).log("request failed in the daemon");
      if (!exchange.answered()) {
        exchange.problem(new Problem(500, "internal-error", "a fault of the daemon; see its log"));
      }
    }
    return true;
  }

  private boolean allowed(Exchange exchange) {
    return token == null
        || token.allows(exchange.header("Authorization"), exchange.header(AccessToken.HEADER));
  }

  private void unauthorized(boolean toLambda, Exchange exchange) {
    exchange.lastOnConnection();
    if (toLambda) {
      lambda
          .errors()
          .refuse(
              exchange,
              403,
              "UnrecognizedClientException",
              "The daemon's token is missing or wrong; send it in the header "
                  + AccessToken.HEADER);
    } else {
      exchange.answerHeader("WWW-Authenticate", "Bearer realm=\"pilotlight\"");
      exchange.problem(
          new Problem(
              401,
              "unauthorized",
              "the daemon's token is missing or wrong; send 'Authorization: Bearer TOKEN'"));
    }
  }

  private void refuse(boolean toLambda, InFlight.Admission admission, Exchange exchange) {
    exchange.lastOnConnection();
    boolean draining = admission == InFlight.Admission.DRAINING;
    String message =
        draining
            ? "the daemon is stopping; try again when it runs again"
            : "the daemon serves as many requests at once as it can; try again";
    exchange.answerHeader("Retry-After", "1");
    if (toLambda) {
      lambda
          .errors()
          .refuse(
              exchange,
              draining ? 503 : 429,
              draining ? "ServiceException" : "TooManyRequestsException",
              draining ? "Service" : "User",
              message);
    } else {
      exchange.problem(
          draining
              ? new Problem(503, "stopping", message)
              : new Problem(503, "overloaded", message));
    }
  }

  private void routeLambda(String path, Exchange exchange) throws IOException {
    if (!path.endsWith(INVOCATIONS) || path.length() <= LAMBDA.length() + INVOCATIONS.length()) {
      exchange.problem(noSuchPath(path));
    } else if (allow(exchange, "POST")) {
      String name = path.substring(LAMBDA.length(), path.length() - INVOCATIONS.length());
      lambda.invoke(decoded(name), exchange);
    }
  }

  private void routeNative(String path, Exchange exchange)
      throws IOException, RequestBody.TooLargeException {
    if (path.equals(FUNCTIONS) || path.equals(FUNCTIONS + "/")) {
      if (allow(exchange, "GET")) {
        exchange.json(200, views.functions());
      }
      return;
    }
    if (path.charAt(FUNCTIONS.length()) != '/') {
      exchange.problem(noSuchPath(path));
      return;
    }
    String rest = path.substring(FUNCTIONS.length() + 1);
    if (rest.endsWith(INVOCATIONS) && rest.length() > INVOCATIONS.length()) {
      if (allow(exchange, "POST")) {
        String name = decoded(rest.substring(0, rest.length() - INVOCATIONS.length()));
        ServedFunction function = registry.find(name);
        if (function == null) {
          exchange.problem(FunctionsEndpoint.unknown(name));
        } else {
          invocations.invoke(function, exchange);
        }
      }
    } else if (rest.endsWith(WORKING_SET) && rest.length() > WORKING_SET.length()) {
      if (allow(exchange, "GET")) {
        String name = rest.substring(0, rest.length() - WORKING_SET.length());
        functions.workingSet(decoded(name), exchange);
      }
    } else if (rest.indexOf('/') >= 0) {
      exchange.problem(noSuchPath(path));
    } else {
      routeFunction(decoded(rest), exchange);
    }
  }

  private void routeFunction(String name, Exchange exchange)
      throws IOException, RequestBody.TooLargeException {
    switch (exchange.method()) {
      case "GET" -> functions.describe(name, exchange);
      case "PUT" -> functions.deploy(name, exchange);
      case "DELETE" -> functions.remove(name, exchange);
      default -> allow(exchange, "GET, PUT, DELETE");
    }
  }

  private void observe(String path, Exchange exchange) {
    switch (path) {
      case "/healthz" -> exchange.text(200, "text/plain", ascii("ok\n"));
      case "/readyz" -> readiness(exchange);
      case "/metrics" -> metrics(exchange);
      case "/v1/zygotes" -> exchange.json(200, views.zygotes());
      case "/v1/clones" -> exchange.json(200, views.clones());
      default -> exchange.problem(noSuchPath(path));
    }
  }

  private void readiness(Exchange exchange) {
    if (inFlight.draining()) {
      exchange.text(503, "text/plain", ascii("stopping\n"));
    } else if (ready.getAsBoolean()) {
      exchange.text(200, "text/plain", ascii("ready\n"));
    } else {
      exchange.text(503, "text/plain", ascii("zygotes of stored functions are being built\n"));
    }
  }

  private void metrics(Exchange exchange) {
    String contentType = NodeMetrics.contentType(exchange.header("Accept"));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(32 << 10);
    try (Writer out = new OutputStreamWriter(bytes, StandardCharsets.UTF_8)) {
      metrics.write(contentType, out);
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    }
    exchange.text(200, contentType, bytes.toByteArray());
  }

  private static boolean allow(Exchange exchange, String methods) {
    if (exchange.method().equals(methods)) {
      return true;
    }
    exchange.answerHeader("Allow", methods);
    exchange.problem(
        new Problem(
            405,
            "method-not-allowed",
            "method " + exchange.method() + " is not allowed here; " + methods + " is"));
    return false;
  }

  private static Problem noSuchPath(String path) {
    return new Problem(
        404,
        "unknown-path",
        "there is nothing at "
            + path
            + "; functions are at /v1/functions/{name} and"
            + " /v1/functions/{name}/invocations");
  }

  private static String decoded(String segment) {
    // In a path, unlike in a form, a plus sign is a plus sign.
    return segment.indexOf('%') < 0
        ? segment
        : URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
