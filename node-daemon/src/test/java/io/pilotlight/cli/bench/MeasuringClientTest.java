package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.cli.Start;
import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class MeasuringClientTest {
  private final List<String> requestLines = new ArrayList<>();
  private ServerSocket server;
  private MeasuringClient client;

  @BeforeEach
  void listen() throws IOException {
    server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    URI uri = URI.create("http://127.0.0.1:" + server.getLocalPort());
    client = new MeasuringClient(uri, BenchClock.SYSTEM);
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    server.close();
  }

  /** One connection; the requests have no body, so an empty line ends each. */
  private CompletableFuture<Void> serve(String... answers) {
    return CompletableFuture.runAsync(
        () -> {
          try (Socket socket = server.accept();
              BufferedReader in =
                  new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1))) {
            for (String answer : answers) {
              String line = in.readLine();
              while (!line.isEmpty()) {
                requestLines.add(line);
                line = in.readLine();
              }
              socket.getOutputStream().write(answer.getBytes(ISO_8859_1));
            }
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private MeasuringClient.Exchange invoke() throws IOException {
    return client.invoke("f", Start.FORK, new byte[0]);
  }

  @Test
  void readsAnswersOfBothFramingsOnOneConnection() throws IOException {
    CompletableFuture<Void> served =
        serve(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nPilotlight-Start-Seconds: 0.25\r\n\r\nfirst",
            "HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nsec\r\n3\r\nond\r\n0\r\n\r\n");

    MeasuringClient.Exchange first = invoke();
    MeasuringClient.Exchange second = invoke();

    served.join();
    assertThat(first.status()).isEqualTo(200);
    assertThat(first.body()).asString().isEqualTo("first");
    assertThat(first.seconds("pilotlight-start-seconds")).isEqualTo(0.25);
    assertThat(first.seconds("pilotlight-handler-seconds")).isNaN();
    assertThat(first.nanos()).isPositive();
    assertThat(second.status()).isEqualTo(500);
    assertThat(second.body()).asString().isEqualTo("second");
    assertThat(requestLines)
        .contains("POST /v1/functions/f/invocations HTTP/1.1", "Pilotlight-Start: fork");
  }

  @Test
  void connectsAgainAfterTheServerClosed() throws IOException {
    CompletableFuture<Void> broken = serve("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    assertThatThrownBy(this::invoke).isInstanceOf(EOFException.class);
    broken.join();

    CompletableFuture<Void> served = serve("HTTP/1.1 204 No\r\nConnection: close\r\n\r\n");
    assertThat(invoke().status()).isEqualTo(204);
    served.join();
  }
}
