package io.pilotlight.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.pilotlight.agent.clock.SystemClock;
import io.pilotlight.agent.crac.CompatibilityPackage;
import io.pilotlight.agent.identity.Renewal;
import io.pilotlight.agent.quiesce.Quiescer;
import io.pilotlight.agent.track.DescriptorOpenings;
import io.pilotlight.agent.wire.Frame;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The host's loop over real pipes, in a thread of this JVM. */
@Timeout(60)
class FunctionHostTest {
  @TempDir static Path directory;
  private static FunctionJars jars;

  private Pipe toHost;
  private Pipe fromHost;
  private ControlChannel daemon;
  private CompletableFuture<FunctionHost.Ending> ending;

  @BeforeAll
  static void pack() throws Exception {
    jars = FunctionJars.in(directory);
  }

  @BeforeEach
  void start() throws IOException {
    toHost = Pipe.open();
    fromHost = Pipe.open();
    daemon = channel(fromHost, toHost);
    SystemClock clock = new SystemClock();
    FunctionHost host =
        new FunctionHost(
            channel(toHost, fromHost),
            clock,
            Quiescer.ofThisJvm(clock),
            Map.of(),
            Renewal.unavailable(),
            CompatibilityPackage.unavailable(),
            OrderlyExit.find(),
            DescriptorOpenings.off());
    ending = new CompletableFuture<>();
    new Thread(() -> ending.complete(host.serve()), "host").start();
  }

  @AfterEach
  void close() throws IOException {
    toHost.sink().close();
    fromHost.source().close();
  }

  private static ControlChannel channel(Pipe in, Pipe out) {
    return new ControlChannel(
        Channels.newInputStream(in.source()), Channels.newOutputStream(out.sink()));
  }

  private FunctionHost.Ending ending() throws Exception {
    return ending.get(30, TimeUnit.SECONDS);
  }

  private Frame ask(Frame frame) throws IOException {
    daemon.write(frame);
    return daemon.read();
  }

  private Frame invoke(String payload) throws IOException {
    return ask(new Frame.Invoke("r", Long.MAX_VALUE, Map.of(), payload.getBytes(UTF_8)));
  }

  private static String text(Frame frame) {
    assertThat(frame).isInstanceOf(Frame.Result.class);
    return new String(((Frame.Result) frame).payload(), UTF_8);
  }

  private void load(String handler) throws IOException {
    assertThat(ask(jars.init("functions." + handler))).isInstanceOf(Frame.Ready.class);
  }

  @Test
  void aFunctionIsServedThroughItsWholeLife() throws Exception {
    Frame.Ready ready = (Frame.Ready) ask(jars.init("functions.PlainHandlers::twice"));
    assertThat(ready.handlerKind()).isEqualTo("static method");
    assertThat(ready.initNanos()).isPositive();
    long before = System.nanoTime();
    Frame.Result result = (Frame.Result) invoke("4");
    assertThat(text(result)).isEqualTo("8");
    assertThat(result.enteredNanos()).isBetween(before, result.finishedNanos());
    assertThat(result.finishedNanos()).isLessThan(System.nanoTime());
    assertThat(ask(new Frame.Quiesce())).isInstanceOf(Frame.Quiesced.class);
    daemon.write(new Frame.Renew("clone-1"));
    assertThat(text(invoke("5"))).isEqualTo("10");
    daemon.write(new Frame.Stop());
    assertThat(ending()).isEqualTo(FunctionHost.Ending.STOPPED);
  }

  @Test
  void aFaultIsAnsweredAndTheNextCallServed() throws Exception {
    load("PlainHandlers::twice");
    assertThat(invoke("{"))
        .isInstanceOfSatisfying(
            Frame.Fault.class,
            fault -> {
              assertThat(fault.kind()).isEqualTo(Frame.FaultKind.INPUT);
              assertThat(fault.enteredNanos()).isZero();
            });
    assertThat(text(invoke("3"))).isEqualTo("6");
  }

  @Test
  void largePayloadsPassBothWays() throws Exception {
    load("PlainHandlers::copy");
    String large = "x".repeat(5 << 20);
    daemon.write(new Frame.Renew("clone-1"));
    CompletableFuture<Frame> answer = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              try {
                answer.complete(daemon.read());
              } catch (IOException e) {
                answer.completeExceptionally(e);
              }
            });
    reader.start();
    daemon.write(new Frame.Invoke("r", 0, Map.of(), large.getBytes(UTF_8)));
    assertThat(text(answer.get(30, TimeUnit.SECONDS))).isEqualTo(large);
    assertThat(text(invoke("small"))).isEqualTo("small");
  }

  @Test
  void anInterruptDoesNotReachTheNextCall() throws Exception {
    load("BadHandlers$Thrower");
    assertThat(text(invoke("{\"do\":\"interrupt\"}"))).isEqualTo("\"interrupted\"");
    assertThat(text(invoke("{\"do\":\"ask\"}"))).isEqualTo("false");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void theDaemonsEndIsNoticedInEveryState(int state) throws Exception {
    if (state > 0) {
      load("PlainHandlers::twice");
    }
    if (state > 1) {
      invoke("1");
    }
    if (state > 2) {
      ask(new Frame.Quiesce());
    }
    toHost.sink().close();
    assertThat(ending()).isEqualTo(FunctionHost.Ending.DAEMON_GONE);
  }

  @Test
  void anAnswerThatNobodyReadsMeansThatTheDaemonIsGone() throws Exception {
    fromHost.source().close();
    daemon.write(jars.init("functions.PlainHandlers::twice"));
    assertThat(ending()).isEqualTo(FunctionHost.Ending.DAEMON_GONE);
  }

  @Test
  void aFunctionThatCannotBeHostedIsRefused() throws Exception {
    assertThat(ask(jars.init("no.Such")))
        .isInstanceOfSatisfying(
            Frame.Failed.class,
            failed -> assertThat(failed.phase()).isEqualTo(Frame.Phase.HANDLER));
    assertThat(ending()).isEqualTo(FunctionHost.Ending.REFUSED);
  }

  @Test
  void framesOutOfTurnEndTheHost() throws Exception {
    daemon.write(new Frame.Quiesce());
    assertThat(ending()).isEqualTo(FunctionHost.Ending.PROTOCOL_BROKEN);
  }

  @Test
  void aFrameOfTheAgentsOwnEndsTheHost() throws Exception {
    load("PlainHandlers::twice");
    daemon.write(new Frame.Ready("", 0));
    assertThat(ending()).isEqualTo(FunctionHost.Ending.PROTOCOL_BROKEN);
  }

  @Test
  void aHostThatNeverGotAFunctionCanBeStopped() throws Exception {
    daemon.write(new Frame.Stop());
    assertThat(ending()).isEqualTo(FunctionHost.Ending.STOPPED);
  }
}
