package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.daemon.function.Deployer;
import io.pilotlight.daemon.function.FunctionRegistry;
import io.pilotlight.daemon.function.SettingsJson;
import io.pilotlight.daemon.metrics.NodeMetrics;
import io.pilotlight.daemon.route.Router;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/** The HTTP server. The thread that reads a request serves it, to the end. */
public final class ApiServer implements AutoCloseable {
  private static final int MAX_HEADER_BYTES = 16 << 10;

  /** A body that comes more slowly is given up, so that nobody holds a thread for ever. */
  private static final long MIN_BODY_BYTES_PER_SECOND = 1024;

  private static final int MIN_THREADS = 16;

  private final Server server;
  private final ServerConnector connector;
  private final QueuedThreadPool threads;

  /**
   * The limits of the door.
   *
   * @param maxRequestBytes the largest body
   * @param maxAnswerBytes the largest answer of a function
   * @param maxThreads how many requests can be served at once
   * @param connectionIdle when a silent connection is closed
   */
  public record Limits(
      int maxRequestBytes, int maxAnswerBytes, int maxThreads, Duration connectionIdle) {
    /** Threads that answer health, metrics and refusals while all others serve functions. */
    private static final int RESERVE = 32;

    /** How many requests to functions may be under way. */
    public int maxInFlight() {
      return maxThreads - RESERVE;
    }
  }

  /**
   * What requests are served by.
   *
   * @param ready whether every stored function can be served as well as it can
   */
  public record Backend(
      ObjectMapper json,
      FunctionRegistry registry,
      Deployer deployer,
      SettingsJson settings,
      Router router,
      EventQueue events,
      NodeMetrics metrics,
      InFlight inFlight,
      BooleanSupplier ready) {}

  /**
   * Whom requests are taken from.
   *
   * @param token what they must carry; null if they need not
   * @param certificate for TLS; null for plain HTTP
   */
  public record Access(@Nullable AccessToken token, @Nullable ServerCertificate certificate) {}

  /** Not listening yet. */
  public ApiServer(InetSocketAddress listen, Access access, Limits limits, Backend backend) {
    threads = new QueuedThreadPool(limits.maxThreads(), MIN_THREADS);
    threads.setName("pilotlight-http");
    threads.setDaemon(true);
    server = new Server(threads);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(MAX_HEADER_BYTES);
    http.setResponseHeaderSize(MAX_HEADER_BYTES);
    http.setMinRequestDataRate(MIN_BODY_BYTES_PER_SECOND);
    HttpConnectionFactory plain = new HttpConnectionFactory(http);
    ServerCertificate certificate = access.certificate();
    connector =
        certificate == null
            ? new ServerConnector(server, 1, 1, plain)
            : new ServerConnector(
                server,
                1,
                1,
                new SslConnectionFactory(certificate.sslContext(), plain.getProtocol()),
                plain);
    connector.setHost(listen.getAddress().getHostAddress());
    connector.setPort(listen.getPort());
    connector.setIdleTimeout(limits.connectionIdle().toMillis());
    server.addConnector(connector);
    server.setErrorHandler(new ErrorAnswers(backend.json(), backend.inFlight()));
    server.setHandler(root(access.token(), limits, backend));
  }

  private static RootHandler root(@Nullable AccessToken token, Limits limits, Backend backend) {
    FunctionViews views = new FunctionViews(backend.registry(), backend.settings(), backend.json());
    return new RootHandler(
        token,
        backend.json(),
        backend.registry(),
        new FunctionsEndpoint(
            backend.registry(),
            backend.deployer(),
            backend.settings(),
            views,
            limits.maxRequestBytes()),
        new InvocationEndpoint(backend.router(), limits.maxRequestBytes(), limits.maxAnswerBytes()),
        new LambdaEndpoint(
            backend.registry(),
            backend.router(),
            backend.events(),
            backend.json(),
            limits.maxRequestBytes(),
            limits.maxAnswerBytes()),
        views,
        backend.metrics(),
        backend.inFlight(),
        backend.ready());
  }

  /** Listens; returns where. */
  public InetSocketAddress start() throws IOException {
    try {
      server.start();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the HTTP server did not start: " + e.getMessage(), e);
    }
    return new InetSocketAddress(connector.getHost(), connector.getLocalPort());
  }

  /** Closes the socket and every connection. */
  @Override
  public void close() throws IOException {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IOException("the HTTP server did not stop: " + e.getMessage(), e);
    } finally {
      threads.destroy();
    }
  }
}
