package io.pilotlight.cli;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Answers each method and path with what was set for it, and keeps what it was sent. */
public final class FakeDaemon implements AutoCloseable {
  private final HttpServer server;
  private final Map<String, Canned> answers = new ConcurrentHashMap<>();
  private final Map<String, String> received = new ConcurrentHashMap<>();

  private record Canned(int status, Map<String, String> headers, String body) {}

  public FakeDaemon() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          String call = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
          String asked = exchange.getRequestHeaders().getFirst("Pilotlight-Start");
          received.put(
              call, new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          Canned canned = answers.getOrDefault(call, new Canned(404, Map.of(), "{}"));
          canned.headers.forEach(exchange.getResponseHeaders()::set);
          if (asked != null) {
            exchange.getResponseHeaders().set("Pilotlight-Start", asked);
          }
          byte[] body = canned.body.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(canned.status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  public FakeDaemon answer(String call, int status, String body) {
    return answer(call, status, Map.of(), body);
  }

  public FakeDaemon answer(String call, int status, Map<String, String> headers, String body) {
    answers.put(call, new Canned(status, headers, body));
    return this;
  }

  public String received(String call) {
    return received.get(call);
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
