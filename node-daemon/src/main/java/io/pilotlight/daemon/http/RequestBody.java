package io.pilotlight.daemon.http;

import java.io.IOException;
import java.util.Arrays;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Blocker;

/** Reads bodies up to a limit, on the calling thread. */
final class RequestBody {
  private static final byte[] NONE = new byte[0];
  private static final int FIRST_BYTES = 8 << 10;

  /** So much is made room for on the word of a client that has sent nothing yet. */
  private static final int MAX_TRUSTED_BYTES = 1 << 20;

  /**
   * How much of a body over the limit is read and dropped before it is refused: many clients look
   * for the answer only after they have sent everything, and would see a broken connection.
   */
  private static final long MAX_DROPPED_BYTES = 64L << 20;

  private final Request request;

  RequestBody(Request request) {
    this.request = request;
  }

  /** The body is larger than is allowed. */
  static final class TooLargeException extends Exception {
    private static final long serialVersionUID = 1L;

    TooLargeException(int limit) {
      super("the request's body is larger than the " + limit + " bytes that are allowed");
    }
  }

  /**
   * Reads all of it.
   *
   * @throws TooLargeException if it is over {@code limit}; it has not been kept in memory
   * @throws IOException if the client ended the connection, or was too slow
   */
  byte[] read(int limit) throws TooLargeException, IOException {
    long announced = request.getLength();
    if (announced == 0) {
      return NONE;
    }
    if (announced > limit) {
      drop();
      throw new TooLargeException(limit);
    }
    int most = announced > 0 ? (int) announced : limit;
    byte[] bytes = new byte[announced > 0 ? Math.min(most, MAX_TRUSTED_BYTES) : FIRST_BYTES];
    int length = 0;
    boolean last = false;
    while (!last) {
      Content.Chunk chunk = next();
      try {
        int more = chunk.remaining();
        if (length + (long) more > limit) {
          length = limit + 1;
          break;
        }
        if (length + more > bytes.length) {
          bytes = Arrays.copyOf(bytes, Math.max(length + more, Math.min(most, 2 * bytes.length)));
        }
        length += chunk.get(bytes, length, more);
        last = chunk.isLast();
      } finally {
        chunk.release();
      }
    }
    if (length > limit) {
      drop();
      throw new TooLargeException(limit);
    }
    return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
  }

  /**
   * Reads what is left of it, and keeps nothing. A client that has sent a request whose body nobody
   * read would find its connection closed.
   *
   * @return false if not all of it was read: the connection cannot be used again
   */
  boolean drop() throws IOException {
    boolean waitsForPermission = request.getHeaders().contains(HttpHeader.EXPECT, "100-continue");
    if (waitsForPermission || request.getLength() > MAX_DROPPED_BYTES) {
      return false;
    }
    long dropped = 0;
    boolean last = false;
    while (!last && dropped < MAX_DROPPED_BYTES) {
      Content.Chunk chunk = next();
      dropped += chunk.remaining();
      last = chunk.isLast();
      chunk.release();
    }
    return last;
  }

  private Content.Chunk next() throws IOException {
    for (Content.Chunk chunk = request.read(); ; chunk = request.read()) {
      if (chunk == null) {
        try (Blocker.Runnable more = Blocker.runnable()) {
          request.demand(more);
          more.block();
        }
      } else if (Content.Chunk.isFailure(chunk)) {
        throw new IOException("the request's body could not be read", chunk.getFailure());
      } else {
        return chunk;
      }
    }
  }
}
