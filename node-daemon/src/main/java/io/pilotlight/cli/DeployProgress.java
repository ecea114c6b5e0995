package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Deploys, and meanwhile asks how far it is and tells that. */
final class DeployProgress {
  private static final long POLL_MILLIS = 200;

  private final DaemonClient client;
  private final Consumer<String> lines;
  private final Terminal terminal;
  private String told = "";

  DeployProgress(DaemonClient client, Consumer<String> lines, Terminal terminal) {
    this.client = client;
    this.lines = lines;
    this.terminal = terminal;
  }

  /** Returns the function once it can be invoked. */
  JsonNode run(String name, JsonNode definition) throws CliException {
    CompletableFuture<HttpResponse<byte[]>> answer = client.deployAsync(name, definition);
    try {
      while (terminal != Terminal.SILENT && !answered(answer)) {
        tell(name, client.function(name).path("build"));
      }
      return client.await(answer);
    } finally {
      if (terminal == Terminal.LIVE && !told.isEmpty()) {
        System.err.print("\r\033[K");
        System.err.flush();
      }
    }
  }

  private static boolean answered(CompletableFuture<?> answer) throws CliException {
    try {
      answer.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      return true; // told by await()
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted; the daemon goes on building the function");
    }
  }

  private void tell(String name, JsonNode build) {
    String stage = build.path("stage").asText("");
    if (stage.isEmpty()) {
      return;
    }
    int total = build.path("total").asInt();
    boolean counted = total > 0 && terminal == Terminal.LIVE;
    String now =
        name
            + ": "
            + stage.toLowerCase(Locale.ROOT)
            + (counted ? " " + build.path("done").asInt() + " of " + total : "");
    if (now.equals(told)) {
      return;
    }
    told = now;
    if (terminal == Terminal.LIVE) {
      System.err.print("\r\033[K" + now);
      System.err.flush();
    } else {
      lines.accept(now);
    }
  }
}
