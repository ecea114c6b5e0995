package io.pilotlight.daemon.fake;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.Daemon;
import io.pilotlight.daemon.DaemonConfig;
import io.pilotlight.daemon.DaemonException;
import io.pilotlight.daemon.time.NodeClock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** A daemon on a free port, over processes in memory, and a client of it. */
public final class TestDaemon implements AutoCloseable {
  private final FakeHost host = new FakeHost();
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final ObjectMapper json = new ObjectMapper();
  private final Path directory;
  private final Daemon daemon;

  /** Starts it, with its data in {@code directory}. */
  public TestDaemon(Path directory, UnaryOperator<DaemonConfig> change) throws DaemonException {
    this.directory = directory;
    DaemonConfig config =
        DaemonConfig.defaults(directory.resolve("data"), directory.resolve("agent.jar"))
            .withListen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .withDrainTimeout(Duration.ofSeconds(10));
    daemon = Daemon.start(change.apply(config), (run, listener) -> host, NodeClock.SYSTEM);
  }

  /** What runs its functions. */
  public FakeHost host() {
    return host;
  }

  /** The daemon. */
  public Daemon daemon() {
    return daemon;
  }

  /** A client. */
  public HttpClient http() {
    return http;
  }

  /** A request to a path. */
  public HttpRequest.Builder request(String path) {
    InetSocketAddress address = daemon.address();
    return HttpRequest.newBuilder(
            URI.create("http://" + address.getHostString() + ":" + address.getPort() + path))
        .timeout(Duration.ofSeconds(30));
  }

  /** Sends it. */
  public HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** Gets a path. */
  public HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(request(path));
  }

  /** Gets JSON. */
  public JsonNode getJson(String path) throws IOException, InterruptedException {
    return json.readTree(get(path).body());
  }

  /** Posts to a path, with headers as name, value, name, value. */
  public HttpResponse<String> post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return send(request);
  }

  /** Invokes a function on the native path. */
  public HttpResponse<String> invoke(String function, String body, String... headers)
      throws IOException, InterruptedException {
    return post("/v1/functions/" + function + "/invocations", body, headers);
  }

  /** Deploys a jar that is made for the purpose; {@code fields} are further members. */
  public HttpResponse<String> deploy(String function, String fields)
      throws IOException, InterruptedException {
    Path jar = TestJars.write(directory.resolve(function + ".jar"), function);
    String body = "{\"jars\":[\"" + jar + "\"],\"handler\":\"a.B::c\"" + fields + "}";
    return send(
        request("/v1/functions/" + function).PUT(HttpRequest.BodyPublishers.ofString(body)));
  }

  /** Reads JSON. */
  public JsonNode parse(HttpResponse<String> response) throws IOException {
    return json.readTree(response.body());
  }

  @Override
  public void close() {
    daemon.close();
  }
}
