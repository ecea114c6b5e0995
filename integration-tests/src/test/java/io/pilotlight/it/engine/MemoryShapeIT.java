package io.pilotlight.it.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.pilotlight.it.functions.Probe;
import io.pilotlight.it.support.Api;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A zygote's memory lies in huge pages, of which a fork copies one entry each. */
final class MemoryShapeIT {
  private static final Duration CALL = Duration.ofSeconds(60);
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");
  private static final byte[] PAYLOAD =
      Api.object("do", "echo", "value", "x").getBytes(StandardCharsets.UTF_8);

  private static final Pattern NODE =
      Pattern.compile("node #\\d+: base 0x(\\w+): reserved=(\\d+)\\S* KB, committed=(\\d+)");

  private static final Pattern MAPPING = Pattern.compile("^(\\p{XDigit}+)-\\p{XDigit}+ ");

  @TempDir Path directory;

  @Test
  void metaspaceLiesInHugePages() throws Exception {
    assumeThat(Files.readString(HUGE_PAGES)).doesNotContain("[never]");
    FunctionSpec spec = TestFunction.of(directory, Probe.class, List.of());
    Warmup warmup = new Warmup(List.of(PAYLOAD), 300, Duration.ofSeconds(30), CALL);
    try (LocalZygoteHost host =
            new LocalZygoteHost(directory, TestJvm.agentJar(), EngineListener.NONE);
        Zygote zygote = host.build(spec, warmup, CALL, (stage, done, total) -> {});
        FunctionJvm clone = zygote.fork()) {
      Reply reply = clone.invoke(new Invocation("r", Map.of(), PAYLOAD), CALL);
      assertThat(reply).as(clone.outputTail(4000)).isInstanceOf(Reply.Success.class);
      List<Node> metaspace = metaspace(clone.pid());
      // One for classes, one for the rest.
      assertThat(metaspace).hasSizeGreaterThanOrEqualTo(2);
      long committed = metaspace.stream().mapToLong(Node::committedKibibytes).sum();
      long small = smallKibibytes(zygote.pid(), metaspace);
      assertThat(small).as("KiB in small pages, of " + committed).isLessThan(committed / 8);
    }
  }

  /** A reservation of metaspace. */
  private record Node(long start, long end, long committedKibibytes) {}

  /** Asked of a clone: it has its zygote's addresses. */
  private static List<Node> metaspace(long pid) throws Exception {
    List<Node> nodes = new ArrayList<>();
    Matcher node = NODE.matcher(TestJvm.run("jcmd", Long.toString(pid), "VM.metaspace", "vslist"));
    while (node.find()) {
      long start = Long.parseUnsignedLong(node.group(1), 16);
      long end = start + (Long.parseLong(node.group(2)) << 10);
      nodes.add(new Node(start, end, Long.parseLong(node.group(3))));
    }
    return nodes;
  }

  private static long smallKibibytes(long pid, List<Node> nodes) throws Exception {
    long small = 0;
    boolean counts = false;
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps"))) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.find()) {
        long start = Long.parseUnsignedLong(mapping.group(1), 16);
        counts = nodes.stream().anyMatch(node -> node.start() <= start && start < node.end());
      } else if (counts && line.startsWith("Anonymous:")) {
        small += number(line);
      } else if (counts && line.startsWith("AnonHugePages:")) {
        small -= number(line);
      }
    }
    return small;
  }

  private static long number(String line) {
    return Long.parseLong(line.replaceAll("\\D", ""));
  }
}
