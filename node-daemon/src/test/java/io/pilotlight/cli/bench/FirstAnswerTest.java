package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.cli.CliException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class FirstAnswerTest {
  private static final String RIGHT = "HTTP/1.1 200 \r\n\r\n{\"greeting\":\"Hello, Ada 7\"}";

  private static ServerSocket listen(int port) throws IOException {
    ServerSocket server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 50);
    return server;
  }

  /** Reads one question and gives this answer. */
  private static String serve(ServerSocket server, String answer) {
    try (Socket client = server.accept()) {
      String question =
          new BufferedReader(new InputStreamReader(client.getInputStream(), UTF_8)).readLine();
      client.getOutputStream().write(answer.getBytes(UTF_8));
      return question;
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private static CompletableFuture<Long> asking(int port, CountDownLatch refused) {
    BenchClock clock =
        new BenchClock() {
          @Override
          public long nanos() {
            return SYSTEM.nanos();
          }

          @Override
          public void pause(Duration time) {
            refused.countDown();
            SYSTEM.pause(time);
          }
        };
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new FirstAnswer(clock, port).await(7);
          } catch (CliException e) {
            throw new CompletionException(e);
          }
        });
  }

  @Test
  void asksUntilSomebodyListensAndAnswers() throws Exception {
    int port;
    try (ServerSocket free = listen(0)) {
      port = free.getLocalPort();
    }
    CountDownLatch refused = new CountDownLatch(1);
    CompletableFuture<Long> answered = asking(port, refused);
    refused.await();
    long begin = System.nanoTime();
    try (ServerSocket server = listen(port)) {
      serve(server, ""); // closed without an answer, as by a server that is not ready
      assertThat(serve(server, RIGHT)).isEqualTo("GET /greetings?name=Ada%207 HTTP/1.1");
      assertThat(answered.join()).isBetween(begin, System.nanoTime());
    }
  }

  @Test
  void aWrongAnswerIsAFailure() throws Exception {
    for (String wrong :
        new String[] {RIGHT.replace("200", "500"), RIGHT.replace("Ada 7", "Ada 8")}) {
      try (ServerSocket server = listen(0)) {
        CompletableFuture<Long> answered = asking(server.getLocalPort(), new CountDownLatch(1));
        serve(server, wrong);
        assertThatThrownBy(answered::join).hasMessageContaining("the application's answer is not");
      }
    }
  }
}
