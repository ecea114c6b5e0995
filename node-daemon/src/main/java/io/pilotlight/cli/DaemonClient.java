package io.pilotlight.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Speaks the daemon's HTTP API; turns its problems into sentences. */
public final class DaemonClient {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final Set<String> STANDARD =
      Set.of("type", "title", "status", "detail", "instance");
  private static final String JSON = "application/json";

  private final URI daemon;
  private final @Nullable String token;
  private final ObjectMapper mapper = new ObjectMapper();
  private final HttpClient http;

  /** A client of a daemon. */
  public DaemonClient(DaemonAccess access) {
    this.daemon = access.uri();
    this.token = access.token();
    HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
    if (access.trust() != null) {
      builder.sslContext(access.trust());
    }
    this.http = builder.build();
  }

  /** Whether it takes everybody's requests, by plain HTTP. */
  boolean open() {
    return token == null && "http".equals(daemon.getScheme());
  }

  /** The daemon's address. */
  public URI daemon() {
    return daemon;
  }

  /** Reads a JSON document. */
  public JsonNode get(String path) throws CliException {
    return document(send(request(path).GET().build()));
  }

  /** Reads a list: an array, or an object that holds one. */
  public JsonNode list(String path) throws CliException {
    JsonNode document = get(path);
    if (!document.isArray()) {
      for (JsonNode value : document) {
        if (value.isArray()) {
          return value;
        }
      }
    }
    return document;
  }

  /** What the daemon holds of a function: its configuration and its state. */
  public JsonNode function(String name) throws CliException {
    return get(functionPath(name));
  }

  /** Deploys; blocks until the function can be invoked. */
  public JsonNode deploy(String name, JsonNode definition) throws CliException {
    return await(deployAsync(name, definition));
  }

  /** Deploys without waiting. */
  CompletableFuture<HttpResponse<byte[]>> deployAsync(String name, JsonNode definition)
      throws CliException {
    HttpRequest put =
        request(functionPath(name))
            .header("Content-Type", JSON)
            .PUT(BodyPublishers.ofString(definition.toString()))
            .build();
    return http.sendAsync(put, BodyHandlers.ofByteArray());
  }

  /** The document of an answer that is under way. */
  JsonNode await(CompletableFuture<HttpResponse<byte[]>> answer) throws CliException {
    try {
      return document(answer.join());
    } catch (CompletionException e) {
      throw unreachable(e.getCause() instanceof IOException cause ? cause : new IOException(e));
    }
  }

  /** What first calls of a function touch. */
  public JsonNode workingSet(String name) throws CliException {
    return get(functionPath(name) + "/workingset");
  }

  /** Removes a function. */
  public void remove(String name) throws CliException {
    check(send(request(functionPath(name)).DELETE().build()));
  }

  /**
   * Invokes a function.
   *
   * @param start the start that is asked for
   */
  public Answer invoke(String name, byte[] payload, Start start) throws CliException {
    HttpRequest.Builder post =
        request(functionPath(name) + "/invocations")
            .header("Content-Type", JSON)
            .POST(BodyPublishers.ofByteArray(payload));
    if (start != Start.AUTO) {
      post.header("Pilotlight-Start", start.toString());
    }
    HttpResponse<byte[]> response = send(post.build());
    check(response);
    return new Answer(
        response.body(),
        response.headers().firstValue("Pilotlight-Start").orElse("?"),
        seconds(response, "Pilotlight-Start-Seconds"),
        seconds(response, "Pilotlight-Handler-Seconds"),
        response.headers().firstValue("Pilotlight-Clone").orElse("?"));
  }

  /**
   * What a function answered.
   *
   * @param body its answer
   * @param start how it got its process
   * @param startSeconds from the request accepted to the handler entered
   * @param handlerSeconds in the handler
   * @param cloneId the process that served
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Answer(
      byte[] body, String start, double startSeconds, double handlerSeconds, String cloneId) {}

  private static double seconds(HttpResponse<?> response, String header) {
    return response.headers().firstValue(header).map(Double::parseDouble).orElse(Double.NaN);
  }

  private static String functionPath(String name) throws CliException {
    if (!NAME.matcher(name).matches()) {
      throw new CliException(
          "'"
              + name
              + "' is not a function's name: 1 to 64 letters, digits, hyphens and underscores");
    }
    return "/v1/functions/" + name;
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(daemon.resolve(path));
    return token == null ? request : request.header("Authorization", "Bearer " + token);
  }

  private HttpResponse<byte[]> send(HttpRequest request) throws CliException {
    try {
      return http.send(request, BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while waiting for " + request.uri());
    }
  }

  private CliException unreachable(IOException cause) {
    if (cause instanceof ConnectException) {
      return new CliException(
          "no daemon answers at "
              + daemon
              + ". Start one with 'pilotlight daemon', or name another with --daemon URL"
              + " or PILOTLIGHT_DAEMON.");
    }
    if (cause instanceof SSLException) {
      return new CliException(
          "the daemon at "
              + daemon
              + " is not trusted, or speaks no TLS: "
              + cause.getMessage()
              + ". Name its certificate with --ca-cert FILE or PILOTLIGHT_CA_CERT.");
    }
    return new CliException("the connection to " + daemon + " failed: " + cause);
  }

  private JsonNode document(HttpResponse<byte[]> response) throws CliException {
    check(response);
    try {
      return mapper.readTree(response.body());
    } catch (IOException e) {
      throw new CliException(
          response.uri() + " answered something that is not JSON: is that a Pilotlight daemon?");
    }
  }

  private void check(HttpResponse<byte[]> response) throws CliException {
    if (response.statusCode() < 300) {
      return;
    }
    throw problem(response.statusCode(), response.uri(), new String(response.body(), UTF_8));
  }

  /** Tells a problem document (RFC 9457) in a sentence and its details. */
  private CliException problem(int status, URI uri, String body) {
    JsonNode problem;
    try {
      problem = mapper.readTree(body);
    } catch (JsonProcessingException e) {
      return new CliException(uri + " answered " + status + ": " + body.strip());
    }
    String title = problem.path("title").asText("status " + status);
    String detail = problem.path("detail").asText("");
    List<String> details = new ArrayList<>();
    problem
        .properties()
        .forEach(
            field -> {
              if (!STANDARD.contains(field.getKey())) {
                addDetail(details, "", field.getKey(), field.getValue());
              }
            });
    return new CliException(
        title + " (" + status + ")" + (detail.isEmpty() ? "" : ": " + detail), details);
  }

  private static void addDetail(List<String> details, String indent, String name, JsonNode value) {
    String deeper = indent + "  ";
    if (value.isContainerNode() && value.isEmpty()) {
      return;
    }
    if (value.isObject()) {
      details.add(indent + name + ":");
      value
          .properties()
          .forEach(field -> addDetail(details, deeper, field.getKey(), field.getValue()));
    } else if (value.isArray()) {
      details.add(indent + name + ":");
      value.forEach(line -> details.add(deeper + (line.isValueNode() ? line.asText() : line)));
    } else if (value.asText().contains("\n")) {
      details.add(indent + name + ":");
      value.asText().lines().forEach(line -> details.add(deeper + line));
    } else if (!value.isNull() && !value.asText().isEmpty()) {
      details.add(indent + name + ": " + value.asText());
    }
  }
}
