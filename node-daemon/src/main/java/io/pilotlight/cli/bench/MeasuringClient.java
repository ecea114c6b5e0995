package io.pilotlight.cli.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.pilotlight.cli.Start;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The measuring instrument: HTTP/1.1 over one blocking connection that is kept, with a request in
 * one write and no other thread involved, so that hardly anything of what it measures is its own.
 * Measures from before the first byte is sent until the last has been received. For one thread.
 */
final class MeasuringClient implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 * 1024;

  private final URI daemon;
  private final BenchClock clock;
  private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES).limit(0);
  private @Nullable SocketChannel channel;

  MeasuringClient(URI daemon, BenchClock clock) {
    this.daemon = daemon;
    this.clock = clock;
  }

  /**
   * What came back.
   *
   * @param headers by lower-case name
   * @param nanos from the first byte sent to the last received
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Exchange(int status, Map<String, String> headers, byte[] body, long nanos) {
    /** A header that is a number of seconds; not a number if it is not there. */
    double seconds(String header) {
      String value = headers.get(header);
      return value == null ? Double.NaN : Double.parseDouble(value);
    }

    String header(String name) {
      return headers.getOrDefault(name, "");
    }
  }

  /** Invokes a function. */
  Exchange invoke(String function, Start start, byte[] payload) throws IOException {
    SocketChannel connected = connect();
    ByteBuffer request = request(function, start, payload);
    long began = clock.nanos();
    try {
      while (request.hasRemaining()) {
        connected.write(request);
      }
      Exchange exchange = read(connected, began);
      if (exchange.header("connection").equalsIgnoreCase("close")) {
        close();
      }
      return exchange;
    } catch (IOException | RuntimeException e) {
      close(); // whatever is still to come on it belongs to no later call
      throw e;
    }
  }

  private ByteBuffer request(String function, Start start, byte[] payload) {
    String head =
        "POST /v1/functions/"
            + function
            + "/invocations HTTP/1.1\r\nHost: "
            + daemon.getAuthority()
            + "\r\nContent-Type: application/json\r\nContent-Length: "
            + payload.length
            + (start == Start.AUTO ? "" : "\r\nPilotlight-Start: " + start)
            + "\r\n\r\n";
    byte[] bytes = head.getBytes(ISO_8859_1);
    return ByteBuffer.allocateDirect(bytes.length + payload.length).put(bytes).put(payload).flip();
  }

  private SocketChannel connect() throws IOException {
    if (channel == null) {
      channel = SocketChannel.open(new InetSocketAddress(daemon.getHost(), daemon.getPort()));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      in.limit(0);
    }
    return channel;
  }

  private Exchange read(SocketChannel connected, long began) throws IOException {
    String statusLine = line(connected);
    String[] words = statusLine.split(" ", 3);
    if (words.length < 2 || !words[0].startsWith("HTTP/1.")) {
      throw new IOException("'" + statusLine + "' is not the first line of an HTTP answer");
    }
    Map<String, String> headers = new TreeMap<>();
    for (String line = line(connected); !line.isEmpty(); line = line(connected)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    byte[] body =
        headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked")
            ? chunks(connected)
            : exactly(connected, Integer.parseInt(headers.getOrDefault("content-length", "0")));
    return new Exchange(Integer.parseInt(words[1]), headers, body, clock.nanos() - began);
  }

  private byte[] chunks(SocketChannel connected) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (true) {
      String size = line(connected).split(";", 2)[0].strip();
      int length = Integer.parseInt(size, 16);
      body.writeBytes(exactly(connected, length));
      line(connected);
      if (length == 0) {
        return body.toByteArray();
      }
    }
  }

  private byte[] exactly(SocketChannel connected, int length) throws IOException {
    byte[] bytes = new byte[length];
    int done = 0;
    while (done < length) {
      fill(connected);
      int part = Math.min(length - done, in.remaining());
      in.get(bytes, done, part);
      done += part;
    }
    return bytes;
  }

  private String line(SocketChannel connected) throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      fill(connected);
      char next = (char) (in.get() & 0xff);
      if (next == '\n') {
        return line.toString();
      }
      if (next != '\r') {
        line.append(next);
      }
    }
  }

  private void fill(SocketChannel connected) throws IOException {
    if (in.hasRemaining()) {
      return;
    }
    in.clear();
    int count = connected.read(in);
    in.flip();
    if (count < 0) {
      throw new EOFException("the daemon closed the connection in the middle of an answer");
    }
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
  }
}
