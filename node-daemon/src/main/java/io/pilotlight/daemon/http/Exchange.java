package io.pilotlight.daemon.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.BadMessageException;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** A request and its answer. Used by one thread; answered exactly once. */
final class Exchange {
  private static final HttpField JSON = new HttpField(HttpHeader.CONTENT_TYPE, "application/json");
  private static final HttpField PROBLEM =
      new HttpField(HttpHeader.CONTENT_TYPE, Problem.MEDIA_TYPE);

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final ObjectMapper json;

  private final InFlight inFlight;
  private boolean bodyRead;
  private boolean answered;

  Exchange(
      Request request, Response response, Callback callback, ObjectMapper json, InFlight inFlight) {
    this.inFlight = inFlight;
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.json = json;
  }

  ObjectMapper json() {
    return json;
  }

  String method() {
    return request.getMethod();
  }

  /** When the request's headers were complete, in {@link System#nanoTime} nanoseconds. */
  long acceptedNanos() {
    return request.getHeadersNanoTime();
  }

  @Nullable String header(String name) {
    return request.getHeaders().get(name);
  }

  /** The query is not encoded as it has to be. */
  static final class MalformedQueryException extends Exception {
    private static final long serialVersionUID = 1L;

    private MalformedQueryException(String query, RuntimeException cause) {
      super("the query '" + query + "' is not percent-encoded UTF-8", cause);
    }
  }

  /** The value of a query parameter, or null. */
  @Nullable String query(String name) throws MalformedQueryException {
    try {
      return Request.extractQueryParameters(request).getValue(name);
    } catch (BadMessageException | IllegalArgumentException e) {
      throw new MalformedQueryException(request.getHttpURI().getQuery(), e);
    }
  }

  /**
   * Reads the request's body, once.
   *
   * @param limit how many bytes are allowed
   */
  byte[] body(int limit) throws RequestBody.TooLargeException, IOException {
    bodyRead = true;
    return new RequestBody(request).read(limit);
  }

  /** Sets a header of the answer. */
  void answerHeader(String name, String value) {
    response.getHeaders().put(name, value);
  }

  /** Whether an answer has been sent, or is being sent. */
  boolean answered() {
    return answered;
  }

  /** The connection is not used again after this answer. */
  void lastOnConnection() {
    response.getHeaders().put(HttpHeader.CONNECTION, "close");
  }

  /** Answers with JSON that is already written, or with whatever the function returned. */
  void json(int status, byte[] body) {
    send(status, JSON, body);
  }

  void json(int status, JsonNode body) {
    send(status, JSON, bytes(body));
  }

  void problem(Problem problem) {
    ObjectNode node = json.createObjectNode();
    problem.write(node);
    send(problem.status(), PROBLEM, bytes(node));
  }

  void text(int status, String contentType, byte[] body) {
    send(status, new HttpField(HttpHeader.CONTENT_TYPE, contentType), body);
  }

  void empty(int status) {
    begin(status);
    response.write(true, null, callback);
  }

  private void send(int status, HttpField contentType, byte[] body) {
    begin(status);
    response.getHeaders().put(contentType);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  private void begin(int status) {
    answered = true;
    if (!bodyRead) {
      bodyRead = true;
      dropBody();
    }
    response.setStatus(status);
    if (inFlight.draining()) {
      lastOnConnection();
    }
  }

  private void dropBody() {
    boolean dropped = false;
    try {
      dropped = new RequestBody(request).drop();
    } catch (IOException e) {
      dropped = false; // the client has gone, or is too slow
    }
    if (!dropped) {
      lastOnConnection();
    }
  }

  private byte[] bytes(JsonNode node) {
    try {
      return json.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a JSON tree could not be written", e);
    }
  }
}
