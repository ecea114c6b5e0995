package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Answers what the HTTP server itself refuses, such as a header that is too large. */
final class ErrorAnswers implements Request.Handler {
  private final ObjectMapper json;

  private final InFlight inFlight;

  ErrorAnswers(ObjectMapper json, InFlight inFlight) {
    this.json = json;
    this.inFlight = inFlight;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    Object status = request.getAttribute(ErrorHandler.ERROR_STATUS);
    Object message = request.getAttribute(ErrorHandler.ERROR_MESSAGE);
    int code = status instanceof Integer number ? number : response.getStatus();
    new Exchange(request, response, callback, json, inFlight)
        .problem(
            new Problem(
                code >= 400 ? code : 500,
                code >= 500 ? "internal-error" : "invalid-request",
                message == null ? "the request could not be served" : message.toString()));
    return true;
  }
}
