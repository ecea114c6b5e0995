package io.pilotlight.daemon.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.api.SilentCloseable;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.pilotlight.daemon.fake.TestDaemon;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever bytes come over a connection: each request among them is answered, none of them is a
 * fault of the daemon, and it goes on serving others.
 */
@Timeout(60)
final class RequestFuzzTest {
  private static final int ANSWER_TIMEOUT_MILLIS = 20_000;
  private static final int BUFFER_BYTES = 8192;
  private static final byte[] HEALTH =
      "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(ISO_8859_1);
  private static final Pattern ANSWER =
      Pattern.compile("HTTP/1\\.1 ([1-5]\\d\\d)[ \\r].*", Pattern.DOTALL);

  @TempDir static Path directory;
  private static TestDaemon daemon;

  @BeforeAll
  static void start() throws Exception {
    daemon = new TestDaemon(directory, config -> config);
    assertThat(daemon.deploy("f", "").statusCode()).isEqualTo(201);
  }

  @AfterAll
  static void stop() {
    daemon.close();
  }

  @FuzzTest
  @SuppressWarnings("try") // what is allowed is allowed for so long
  void requestIsServedOrRefused(byte[] input) throws IOException {
    String answer;
    try (SilentCloseable allowed = allowConnections()) {
      answer = exchange(input);
      assertThat(exchange(HEALTH)).startsWith("HTTP/1.1 200 ");
    }
    if (answer != null && !answer.isEmpty()) {
      Matcher first = ANSWER.matcher(answer);
      assertThat(first.matches()).as(answer).isTrue();
      assertThat(first.group(1)).as(answer).isNotEqualTo("500");
    } else if (answer != null) {
      assertThat(new String(input, ISO_8859_1)).as("gets an answer").doesNotContain("\r\n\r\n");
    }
  }

  /** The fuzzer takes a connection for a finding, unless it is told that it is the test's own. */
  private static SilentCloseable allowConnections() {
    int port = daemon.daemon().address().getPort();
    return System.getenv("JAZZER_FUZZ") == null
        ? () -> {}
        : BugDetectors.allowNetworkConnections((host, to) -> to == port);
  }

  /**
   * What came until the daemon closed the connection; null if it did so with input unread, since
   * then the kernel may have dropped the answer.
   */
  private static String exchange(byte[] input) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (Socket socket =
        new Socket(daemon.daemon().address().getAddress(), daemon.daemon().address().getPort())) {
      socket.setSoTimeout(ANSWER_TIMEOUT_MILLIS);
      socket.getOutputStream().write(input);
      socket.shutdownOutput();
      byte[] buffer = new byte[BUFFER_BYTES];
      int count = socket.getInputStream().read(buffer);
      while (count >= 0) {
        answer.write(buffer, 0, count);
        count = socket.getInputStream().read(buffer);
      }
    } catch (SocketException e) {
      return answer.size() > 0 ? answer.toString(ISO_8859_1) : null;
    }
    return answer.toString(ISO_8859_1);
  }
}
