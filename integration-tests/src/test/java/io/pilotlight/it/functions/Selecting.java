package io.pilotlight.it.functions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A function that, like every server framework, has a selector and a thread in it before its first
 * call.
 */
public final class Selecting implements Function<String, String> {
  private final BlockingQueue<String> selected = new LinkedBlockingQueue<>();
  private final Pipe pipe;
  private final HttpClient client = HttpClient.newHttpClient();

  /** Opens the selector and starts the thread. */
  public Selecting() throws IOException {
    pipe = Pipe.open();
    pipe.source().configureBlocking(false);
    Selector selector = Selector.open();
    pipe.source().register(selector, SelectionKey.OP_READ);
    Thread thread = new Thread(() -> select(selector), "selects");
    thread.setDaemon(true);
    thread.start();
  }

  private void select(Selector selector) {
    ByteBuffer buffer = ByteBuffer.allocate(256);
    try {
      while (true) {
        selector.select();
        selector.selectedKeys().clear();
        buffer.clear();
        if (pipe.source().read(buffer) > 0) {
          selected.add(StandardCharsets.UTF_8.decode(buffer.flip()).toString());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Input: a URL. Sends it through the pipe and the selector, then asks it for its answer. */
  @Override
  public String apply(String url) {
    try {
      pipe.sink().write(ByteBuffer.wrap(url.getBytes(StandardCharsets.UTF_8)));
      String came = selected.poll(20, TimeUnit.SECONDS);
      if (!url.equals(came)) {
        throw new IllegalStateException("sent " + url + ", selected " + came);
      }
      HttpResponse<String> response =
          client.send(
              HttpRequest.newBuilder(URI.create(url)).build(),
              HttpResponse.BodyHandlers.ofString());
      return response.body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
