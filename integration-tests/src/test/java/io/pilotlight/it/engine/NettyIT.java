package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.resolver.NameResolver;
import io.netty.util.Version;
import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.it.functions.NettyServer;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many clones of one Netty server work at once, each on its own selectors. */
final class NettyIT {
  private static final int CLONES = 64;
  private static final int CALLS = 4;

  /** All clones load Netty's classes at once, and some machines have two slow processors. */
  private static final Duration CALL = Duration.ofMinutes(5);

  /** One compiler less in each of so many. */
  private static final List<String> JVM_ARGS = List.of("-XX:TieredStopAtLevel=1");

  private static final DescriptorOptions LISTENERS = inheritListeners();

  @TempDir Path directory;
  private final ExecutorService calling = Executors.newFixedThreadPool(CLONES);

  private static DescriptorOptions inheritListeners() {
    try {
      String rule = "type: socket\nfamily: ip\naction: inherit";
      return new DescriptorOptions(DescriptorPolicy.parse(rule), false);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void stop() {
    calling.shutdownNow();
  }

  @Test
  void eachCloneWorksOnItsOwnSelectors() throws Exception {
    try (LocalZygoteHost host =
            new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
        Zygote zygote =
            host.build(spec(), new Warmup(List.of(), 0, CALL, CALL), CALL, (stage, d, t) -> {})) {
      List<FunctionJvm> clones = new ArrayList<>();
      for (int i = 0; i < CLONES; i++) {
        clones.add(zygote.forkAhead());
      }
      Set<String> processes = new HashSet<>();
      Set<String> servers = new HashSet<>();
      for (int round = 0; round < CALLS; round++) {
        List<Callable<String[]>> calls = new ArrayList<>();
        for (int i = 0; i < CLONES; i++) {
          FunctionJvm clone = clones.get(i);
          String text = "clone-" + i + "-call-" + round;
          calls.add(() -> call(clone, text));
        }
        for (Future<String[]> answer : calling.invokeAll(calls)) {
          processes.add(answer.get()[0]);
          servers.add(answer.get()[1]);
        }
      }
      assertThat(processes).hasSize(CLONES);
      // Which clone answers on the socket that all inherit is the kernel's choice; never the
      // zygote.
      assertThat(processes).containsAll(servers);
      assertThat(servers).as("clones that answered").hasSizeGreaterThan(1);
    }
  }

  private FunctionSpec spec() throws Exception {
    FunctionSpec bare = TestFunction.of(directory, NettyServer.class, JVM_ARGS);
    List<Path> layers = new ArrayList<>();
    for (Class<?> type :
        List.of(Bootstrap.class, ByteBuf.class, NameResolver.class, Version.class)) {
      layers.add(Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()));
    }
    return new FunctionSpec(
            bare.name(),
            bare.version(),
            bare.handler(),
            bare.jars(),
            layers,
            bare.environment(),
            bare.limits(),
            bare.javaHome(),
            bare.jvmArgs())
        .with(LISTENERS);
  }

  /** Returns the clone's process, and the one that answered on the inherited socket. */
  private static String[] call(FunctionJvm clone, String text) throws Exception {
    byte[] payload = ("\"" + text + "\"").getBytes(StandardCharsets.UTF_8);
    Reply reply = clone.invoke(new Invocation(text, Map.of(), payload), CALL);
    assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
    String answer =
        new String(((Reply.Success) reply).payload(), StandardCharsets.UTF_8).replace("\"", "");
    String[] parts = answer.split(" ", -1);
    assertThat(parts).as(answer).hasSize(3);
    assertThat(parts[0]).isEqualTo(Long.toString(clone.pid()));
    assertThat(parts[1]).isEqualTo(parts[0] + ":" + text);
    assertThat(parts[2]).endsWith(":" + text);
    return new String[] {parts[0], parts[2].split(":", -1)[0]};
  }
}
