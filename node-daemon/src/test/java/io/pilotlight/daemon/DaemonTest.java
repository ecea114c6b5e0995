package io.pilotlight.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.daemon.fake.FakeHost;
import io.pilotlight.daemon.fake.FakeJvm;
import io.pilotlight.daemon.fake.TestDaemon;
import io.pilotlight.daemon.function.InvalidFieldException;
import io.pilotlight.daemon.time.NodeClock;
import io.pilotlight.zygote.FunctionJvm.DiedException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DaemonTest {
  @TempDir Path directory;

  @Test
  void refusesASecondDaemonOnItsDataAndLetsItInLater() throws Exception {
    try (TestDaemon first = new TestDaemon(directory, config -> config)) {
      assertThat(first.get("/healthz").statusCode()).isEqualTo(200);
      assertThat(
              PosixFilePermissions.toString(
                  Files.getPosixFilePermissions(directory.resolve("data"))))
          .isEqualTo("rwx------");
      assertThatThrownBy(() -> new TestDaemon(directory, config -> config))
          .isInstanceOf(DaemonException.class)
          .hasMessageContaining(
              "in use by another process, most likely a daemon (pid "
                  + ProcessHandle.current().pid());
    }
    new TestDaemon(directory, config -> config).close();
  }

  @Test
  void saysThatAPortIsTaken() throws Exception {
    try (TestDaemon first = new TestDaemon(directory.resolve("a"), config -> config)) {
      InetSocketAddress taken = first.daemon().address();
      assertThatThrownBy(
              () -> new TestDaemon(directory.resolve("b"), config -> config.withListen(taken)))
          .isInstanceOf(DaemonException.class)
          .hasMessageContaining(Integer.toString(taken.getPort()))
          .hasMessageContaining("--listen");
    }
    new TestDaemon(directory.resolve("b"), config -> config).close();
  }

  @Test
  void listensElsewhereOnlyWhenToldThatThisIsInsecure() throws Exception {
    InetSocketAddress everywhere = DaemonConfig.address("0.0.0.0:0");
    assertThatThrownBy(() -> new TestDaemon(directory, config -> config.withListen(everywhere)))
        .isInstanceOf(DaemonException.class)
        .hasMessageContaining("--insecure");
    new TestDaemon(
            directory,
            config ->
                config
                    .withListen(everywhere)
                    .withDoor(new DaemonConfig.Door(true, null, null, null, null)))
        .close();
  }

  @Test
  void keepsItsFunctionsWhenItStartsAgain() throws Exception {
    try (TestDaemon first = new TestDaemon(directory, config -> config)) {
      first.deploy("f", "");
    }
    try (TestDaemon second = new TestDaemon(directory, config -> config)) {
      HttpResponse<String> answer = second.invoke("f", "1");
      assertThat(answer.body()).isEqualTo("1");
      assertThat(second.getJson("/v1/functions/f").get("version").asInt()).isEqualTo(1);
    }
  }

  @Test
  void isReadyWhenTheZygotesOfItsFunctionsAreBuilt() throws Exception {
    try (TestDaemon first = new TestDaemon(directory, config -> config)) {
      first.deploy("f", "");
    }
    FakeHost host = new FakeHost();
    CountDownLatch build = new CountDownLatch(1);
    host.whileBuilding((spec, progress) -> build.await());
    DaemonConfig config =
        DaemonConfig.defaults(directory.resolve("data"), directory.resolve("agent.jar"))
            .withListen(DaemonConfig.address("127.0.0.1:0"));
    try (Daemon daemon = Daemon.start(config, (run, listener) -> host, NodeClock.SYSTEM);
        TestDaemon client = new TestDaemon(directory.resolve("x"), other -> other)) {
      String base = "http://127.0.0.1:" + daemon.address().getPort();
      assertThat(status(client, base + "/readyz")).isEqualTo(503);
      build.countDown();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (status(client, base + "/readyz") != 200 && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      assertThat(status(client, base + "/readyz")).isEqualTo(200);
    }
  }

  private static int status(TestDaemon client, String url) throws Exception {
    return client.send(client.request("").uri(URI.create(url))).statusCode();
  }

  @Test
  void finishesWhatRunsRefusesWhatComesAndLeavesNothing() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    TestDaemon daemon = new TestDaemon(directory, config -> config);
    daemon.deploy("f", "");
    daemon
        .host()
        .behave(
            (jvm, call) -> {
              entered.countDown();
              await(finish);
              return FakeHost.success(System.nanoTime(), call.payload());
            });
    CompletableFuture<HttpResponse<String>> running =
        daemon
            .http()
            .sendAsync(
                daemon
                    .request("/v1/functions/f/invocations")
                    .POST(HttpRequest.BodyPublishers.ofString("7"))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    entered.await();
    CompletableFuture<Void> closing = CompletableFuture.runAsync(daemon::close);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (daemon.get("/readyz").statusCode() != 503 && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    HttpResponse<String> refused = daemon.invoke("f", "8");
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Connection")).contains("close");
    assertThat(closing).isNotDone();
    finish.countDown();
    assertThat(running.get(10, TimeUnit.SECONDS).body()).isEqualTo("7");
    closing.get(10, TimeUnit.SECONDS);
    daemon.daemon().awaitStopped();
    assertThat(daemon.host().closed()).isTrue();
    assertThat(daemon.host().jvms()).noneMatch(FakeJvm::alive);
    assertThatThrownBy(() -> daemon.get("/healthz")).isInstanceOf(ConnectException.class);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void givesUpWhatTakesLongerThanTheDrain() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    TestDaemon daemon =
        new TestDaemon(directory, config -> config.withDrainTimeout(Duration.ofMillis(100)));
    daemon.deploy("f", "");
    daemon
        .host()
        .behave(
            (jvm, call) -> {
              entered.countDown();
              jvm.exit().join();
              throw new DiedException("killed", jvm.exit().join(), "");
            });
    CompletableFuture<HttpResponse<String>> running =
        daemon
            .http()
            .sendAsync(
                daemon
                    .request("/v1/functions/f/invocations")
                    .POST(HttpRequest.BodyPublishers.ofString("7"))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    entered.await();
    daemon.close();
    assertThat(running.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(502);
  }

  @Test
  void leavesZygotesToTheNextDaemonWhenToldSo() throws Exception {
    TestDaemon daemon = new TestDaemon(directory, config -> config.withKeepZygotes(true));
    daemon.deploy("f", ",\"noImage\":true");
    daemon.invoke("f", "1");
    daemon.close();
    assertThat(daemon.host().newest().ended()).isFalse();
    assertThat(daemon.host().jvms()).isNotEmpty().noneMatch(FakeJvm::alive);
  }

  @Test
  void readsItsConfigurationFile() throws Exception {
    Path file =
        Files.writeString(
            directory.resolve("c.json"),
            "{\"listen\":\"127.0.0.1:1234\",\"drainSeconds\":5,\"maxThreads\":100,"
                + "\"keepZygotes\":true,\"data\":\"/d\"}");
    DaemonConfig config =
        DaemonConfig.defaults(directory, directory.resolve("agent.jar")).withFile(file);
    assertThat(config.listen().getPort()).isEqualTo(1234);
    assertThat(config.drainTimeout()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.limits().maxThreads()).isEqualTo(100);
    assertThat(config.keepZygotes()).isTrue();
    assertThat(config.dataDirectory()).isEqualTo(Path.of("/d"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"lisen":"x"}         | unknown field 'lisen'
          {"maxThreads":1}      | between 64 and
          {"listen":"7600"}     | HOST:PORT
          {"listen":"a:b"}      | no port
          {                     | is not JSON
          {} {}                 | is not JSON
          {"data":"/a","data":"/b"} | Duplicate field 'data'
          """)
  void refusesAConfigurationNamingTheField(String content, String expected) throws Exception {
    Path file = Files.writeString(directory.resolve("c.json"), content);
    DaemonConfig config = DaemonConfig.defaults(directory, directory.resolve("agent.jar"));
    assertThatThrownBy(() -> config.withFile(file))
        .isInstanceOf(InvalidFieldException.class)
        .hasMessageContaining(expected);
  }
}
