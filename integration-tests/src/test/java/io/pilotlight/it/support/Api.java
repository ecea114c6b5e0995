package io.pilotlight.it.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A daemon's HTTP interface as its clients use it. Thread-safe. */
public final class Api {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(20))
          .build();
  private final URI base;

  Api(URI base) {
    this.base = base;
  }

  /** An answer, whole. */
  public static final class Answer {
    private final int status;
    private final HttpHeaders headers;
    private final byte[] body;

    private Answer(HttpResponse<byte[]> response) {
      status = response.statusCode();
      headers = response.headers();
      body = response.body();
    }

    /** The HTTP status. */
    public int status() {
      return status;
    }

    /** The body as it came. */
    public byte[] body() {
      return body;
    }

    /** The body as text. */
    public String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    /** The body as JSON. */
    public JsonNode json() {
      return Api.json(text());
    }

    /** A header's value, or an empty text. */
    public String header(String name) {
      return headers.firstValue(name).orElse("");
    }

    /** Which start the process had, by its header. */
    public String start() {
      return header("Pilotlight-Start");
    }

    @Override
    public String toString() {
      String text = text();
      return status + " " + headers.map() + " " + text.substring(0, Math.min(4000, text.length()));
    }
  }

  /** Where the daemon listens. */
  public URI base() {
    return base;
  }

  /** Text as JSON. */
  public static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new AssertionError("not JSON: " + text, e);
    }
  }

  /**
   * The body of a deploy request, to be completed: of a function that is not isolated, for tests
   * that look at its processes and files from outside.
   */
  public static ObjectNode definition(Path jar, String handler) {
    return usual(jar, handler).put("isolation", "none");
  }

  /** The same, of a function that is isolated as functions are that say nothing of it. */
  public static ObjectNode usual(Path jar, String handler) {
    ObjectNode definition = JSON.createObjectNode();
    definition.putArray("jars").add(jar.toString());
    // An image is written in the background: its tests say so, and the others have the disk.
    definition.put("noImage", true);
    return definition.put("handler", handler).put("memoryMib", 128).put("pool", 0);
  }

  /** A JSON object of one to three members. */
  public static String object(Object... namesAndValues) {
    ObjectNode object = JSON.createObjectNode();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.putPOJO((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return object.toString();
  }

  /** GET. */
  public Answer get(String path) throws Exception {
    return send(request(path).GET());
  }

  /** Deploys a function, whatever the answer. */
  public Answer deploy(String name, JsonNode definition) throws Exception {
    return send(put(name, definition.toString()));
  }

  /** Deploys a function from a body that need not be JSON. */
  public Answer deployText(String name, String body) throws Exception {
    return send(put(name, body));
  }

  /** Deploys a function in the background. */
  public CompletableFuture<Answer> deployAsync(String name, JsonNode definition) {
    return sendAsync(put(name, definition.toString()));
  }

  private HttpRequest.Builder put(String name, String body) {
    return request("/v1/functions/" + name).PUT(HttpRequest.BodyPublishers.ofString(body));
  }

  /** Deploys a function, which must succeed. */
  public JsonNode deployed(String name, JsonNode definition) throws Exception {
    Answer answer = deploy(name, definition);
    if (answer.status() != 201 && answer.status() != 200) {
      throw new AssertionError("deployment of " + name + ": " + answer);
    }
    return answer.json();
  }

  /** Removes a function. */
  public Answer remove(String name) throws Exception {
    return send(request("/v1/functions/" + name).DELETE());
  }

  /** Invokes a function; headers as names and values in turn. */
  public Answer invoke(String name, String payload, String... headers) throws Exception {
    return send(post(nativePath(name), payload, headers));
  }

  /** Invokes a function by the Lambda API. */
  public Answer invokeLambda(String name, String payload, String... headers) throws Exception {
    return send(post(lambdaPath(name), payload, headers));
  }

  /** Invokes a function in the background. */
  public CompletableFuture<Answer> invokeAsync(String name, String payload, String... headers) {
    return sendAsync(post(nativePath(name), payload, headers));
  }

  /** Invokes a function by the Lambda API, in the background. */
  public CompletableFuture<Answer> invokeLambdaAsync(
      String name, String payload, String... headers) {
    return sendAsync(post(lambdaPath(name), payload, headers));
  }

  private static String nativePath(String name) {
    return "/v1/functions/" + name + "/invocations";
  }

  private static String lambdaPath(String name) {
    return "/2015-03-31/functions/" + name + "/invocations";
  }

  private HttpRequest.Builder post(String path, String payload, String... headers) {
    HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.ofString(payload));
    return headers.length == 0 ? request : request.headers(headers);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path)).timeout(PATIENCE);
  }

  private Answer send(HttpRequest.Builder request) throws Exception {
    return new Answer(client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray()));
  }

  private CompletableFuture<Answer> sendAsync(HttpRequest.Builder request) {
    return client
        .sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray())
        .thenApply(Answer::new);
  }

  /** What {@code GET /v1/functions/NAME} tells. */
  public JsonNode function(String name) throws Exception {
    return get("/v1/functions/" + name).json();
  }

  /** Waits until its image is restored and can be cloned; returns what the daemon says of it. */
  public JsonNode awaitImage(String name) throws Exception {
    return Eventually.get(
        "an image of " + name,
        () -> {
          JsonNode image = function(name).path("image");
          return image.isObject() ? image : null;
        });
  }

  /** The process of the function's zygote; 0 if it has none at the moment. */
  public long zygotePid(String name) throws Exception {
    return function(name).path("zygote").path("pid").asLong();
  }

  /** The function's processes. */
  public List<JsonNode> clones(String name) throws Exception {
    List<JsonNode> found = new ArrayList<>();
    for (JsonNode clone : (ArrayNode) get("/v1/clones").json().get("clones")) {
      if (clone.get("function").asText().equals(name)) {
        found.add(clone);
      }
    }
    return found;
  }

  /** The function's processes that do this. */
  public List<JsonNode> clones(String name, String state) throws Exception {
    return clones(name).stream().filter(c -> c.get("state").asText().equals(state)).toList();
  }

  /** Waits until so many of the function's processes do this; returns their pids. */
  public List<Long> awaitClones(String name, String state, int count) throws Exception {
    return Eventually.get(
        count + " processes of " + name + " that are " + state,
        () -> {
          List<JsonNode> found = clones(name, state);
          return found.size() == count
              ? found.stream().map(c -> c.get("pid").asLong()).toList()
              : null;
        });
  }

  /** The metrics of this moment. */
  public Metrics metrics() throws Exception {
    return Metrics.parse(get("/metrics").text());
  }

  /** The sum of a metric's series with these labels, 0 if there is none. */
  public double metric(String name, Map<String, String> labels) throws Exception {
    return metrics().sum(name, labels);
  }
}
