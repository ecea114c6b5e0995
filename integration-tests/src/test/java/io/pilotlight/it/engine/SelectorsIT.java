package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.pilotlight.it.functions.Selecting;
import io.pilotlight.it.support.TestFunction;
import io.pilotlight.it.support.TestJvm;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionJvm;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Reply;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many clones of one zygote work on their own selectors at once; none sees another's events. */
final class SelectorsIT {
  private static final int CLONES = 12;
  private static final int CALLS = 5;
  private static final Duration CALL = Duration.ofSeconds(60);

  @TempDir Path directory;
  private HttpServer server;
  private final ExecutorService serving = Executors.newFixedThreadPool(4);
  private final ExecutorService calling = Executors.newFixedThreadPool(CLONES);

  @BeforeEach
  void serve() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
    server.setExecutor(serving);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestURI().getQuery().getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    serving.shutdownNow();
    calling.shutdownNow();
  }

  @Test
  void eachCloneHasItsOwn() throws Exception {
    FunctionSpec spec = TestFunction.of(directory, Selecting.class, List.of());
    try (LocalZygoteHost host =
            new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
        Zygote zygote = host.build(spec, Warmup.NONE, CALL, (stage, done, total) -> {})) {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int i = 0; i < CLONES; i++) {
        FunctionJvm clone = i % 2 == 0 ? zygote.fork() : zygote.forkAhead();
        String name = "clone-" + i;
        tasks.add(() -> callAll(clone, name));
      }
      for (Future<Void> result : calling.invokeAll(tasks)) {
        result.get();
      }
    }
  }

  private Void callAll(FunctionJvm clone, String name) throws Exception {
    try (clone) {
      for (int i = 0; i < CALLS; i++) {
        String query = name + "-" + i;
        String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/?" + query;
        byte[] payload = ("\"" + url + "\"").getBytes(StandardCharsets.UTF_8);
        Reply reply = clone.invoke(new Invocation(query, Map.of(), payload), CALL);
        assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
        assertThat(new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8))
            .isEqualTo("\"" + query + "\"");
      }
      return null;
    }
  }
}
