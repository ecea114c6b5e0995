package io.pilotlight.cli.bench;

import io.pilotlight.cli.CliException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Asks a server that is starting until it answers, a connection for each question.
 *
 * @param clock measures
 * @param port where it will listen, on the loopback interface
 */
record FirstAnswer(BenchClock clock, int port) {
  /** A share of what is measured that is small, and does not take the server's processor. */
  private static final Duration PAUSE = Duration.ofNanos(200_000);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /**
   * Waits for the right answer.
   *
   * @param n varies the question
   * @return when it was there, by the clock
   * @throws CliException if the answer is wrong, or none comes
   */
  long await(int n) throws CliException {
    long end = clock.nanos() + PATIENCE.toNanos();
    while (clock.nanos() - end < 0) {
      String answer;
      try {
        answer = ask(n);
      } catch (IOException e) {
        throw new CliException("the application cannot be asked: " + e);
      }
      if (!answer.isEmpty()) {
        long now = clock.nanos();
        String expected = "{\"greeting\":\"Hello, Ada " + n + "\"}";
        if (!answer.startsWith("HTTP/1.1 200") || !answer.contains(expected)) {
          throw new CliException("the application's answer is not " + expected + ": " + answer);
        }
        return now;
      }
      clock.pause(PAUSE);
    }
    throw new CliException(
        "the application does not answer on port "
            + port
            + " within "
            + PATIENCE.toSeconds()
            + " s");
  }

  /** The whole answer; empty if nobody listens, or the connection was closed without one. */
  private String ask(int n) throws IOException {
    String question =
        "GET /greetings?name=Ada%20" + n + " HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.getOutputStream().write(question.getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (ConnectException e) {
      return "";
    } catch (SocketException e) {
      // Reset: it had begun to listen, and no more.
      return "";
    }
  }
}
