package io.pilotlight.it.functions;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.crac.Core;
import org.crac.Resource;

/**
 * As a function for Lambda SnapStart is written: it holds a connection, which it closes ahead of
 * the snapshot, when it also warms itself, and opens again in what was restored.
 */
public final class SnapStarted
    implements RequestHandler<Map<String, String>, Map<String, Object>>, Resource {
  private final List<String> told = new ArrayList<>();
  private Socket connection;

  /** Connects, and registers. */
  public SnapStarted() throws IOException {
    Core.getGlobalContext().register(this);
    connect();
  }

  private void connect() throws IOException {
    connection =
        new Socket(
            InetAddress.getLoopbackAddress(), Integer.parseInt(System.getenv("BACKEND_PORT")));
  }

  @Override
  public void beforeCheckpoint(org.crac.Context<? extends Resource> context) throws Exception {
    for (int i = 0; i < 50; i++) {
      ask("warming");
    }
    connection.close();
    told.add("before");
  }

  @Override
  public void afterRestore(org.crac.Context<? extends Resource> context) throws Exception {
    connect();
    told.add("after with " + System.getenv("PASSWORD"));
  }

  @Override
  public Map<String, Object> handleRequest(Map<String, String> event, Context context) {
    try {
      return Map.of("answer", ask(event.get("question")), "told", told);
    } catch (IOException e) {
      throw new IllegalStateException("the connection does not work", e);
    }
  }

  private String ask(String question) throws IOException {
    connection.getOutputStream().write((question + "\n").getBytes(StandardCharsets.UTF_8));
    // One line comes for each that goes, so nothing is read ahead.
    return new BufferedReader(
            new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))
        .readLine();
  }
}
