package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.bench.BenchClock;
import io.pilotlight.cli.bench.DaemonProcess;
import io.pilotlight.cli.bench.Example;
import io.pilotlight.cli.bench.SoakRun;
import io.pilotlight.cli.bench.StartsReport;
import io.pilotlight.cli.bench.StartsRun;
import io.pilotlight.cli.bench.TemplateWorkload;
import io.pilotlight.cli.bench.ThroughputRun;
import io.pilotlight.cli.bench.Variant;
import io.pilotlight.cli.bench.Workload;
import io.pilotlight.engine.Isolation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight bench}: measures a function's starts, its throughput, or its endurance. */
@Command(
    name = "bench",
    description = {
      "Measures the kinds of start of a function against each other: interleaved in one run, each"
          + " call the first of its process (but for warm), another event each time, the answer"
          + " checked. The function is deployed once more under names of the benchmark's own,"
          + " which are removed at the end.",
      "The table is Markdown. Starts are compared by the total: the client's first byte sent to"
          + " its last byte received."
    })
final class BenchCommand implements Callable<Integer> {
  private static final String SUFFIX = "-bench";

  private static final int COUNT = 1000;
  private static final int PROGRAM_COUNT = 20;

  /** Enough that a refill need not keep pace with calls that follow each other without a pause. */
  private static final int POOL = 8;

  /** The fields that a definition and a description spell alike. */
  private static final List<String> DEFINITION =
      List.of(
          "handler",
          "env",
          "memoryMib",
          "cpus",
          "pidsLimit",
          "openFiles",
          "fileSizeMib",
          "timeoutSeconds",
          "initTimeoutSeconds",
          "pool",
          "concurrency",
          "warmupPayloads",
          "warmupCount",
          "warmupBudgetSeconds",
          "replay",
          "jvm",
          "jvmArgs");

  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Parameters(
      paramLabel = "NAME",
      description =
          "A function of the daemon; with --standalone: hello, orders or thumbnail; or spring, a"
              + " program: its cold start and its restores, each to the first answer.")
  private String name = "";

  @Option(names = "--standalone", description = "Start a daemon just for this.")
  private boolean standalone;

  @Option(
      names = "--starts",
      split = ",",
      defaultValue = "cold,restore,fork,pool,warm",
      description = "Which starts (default: ${DEFAULT-VALUE}).")
  private List<Start> starts = List.of();

  @Option(
      names = "--replay",
      paramLabel = "on|off|on,off",
      split = ",",
      defaultValue = "on",
      description =
          "Whether clones replay the working set before their first call; with both, each is"
              + " measured against the other (default: ${DEFAULT-VALUE}).")
  private List<Switch> replay = List.of();

  @Option(
      names = "--isolation",
      paramLabel = "KIND[,KIND...]",
      split = ",",
      defaultValue = "none",
      description =
          "Of the function's processes: none, process or sandbox; of several each is measured"
              + " against the others (default: ${DEFAULT-VALUE}).")
  private List<String> isolation = List.of();

  @Option(
      names = "--evict-image",
      description =
          "Have the image dropped from the page cache before each restore, as if the function had"
              + " not been called for long; with '--replay on,off' restores are measured with and"
              + " without what reads it ahead.")
  private boolean evictImage;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "Calls of each start but cold (default: 1000; of a program 20).")
  private @Nullable Integer given;

  private int count;

  @Option(
      names = "--cold-count",
      paramLabel = "N",
      defaultValue = "20",
      description = "Cold calls, spread evenly among the others (default: ${DEFAULT-VALUE}).")
  private int coldCount;

  @Option(
      names = "--warmup-rounds",
      paramLabel = "N",
      defaultValue = "500",
      description = "Rounds before, which warm the daemon itself (default: ${DEFAULT-VALUE}).")
  private int warmupRounds;

  @Option(
      names = "--gap",
      paramLabel = "MS",
      defaultValue = StartsRun.DEFAULT_GAP_MILLIS,
      description =
          "Milliseconds between two calls; with 0 the end of one process and the refill of the pool"
              + " delay the next start (default: ${DEFAULT-VALUE}).")
  private int gapMillis;

  @Option(
      names = "--data",
      paramLabel = "JSON|@FILE|-",
      description =
          "The event, for a function that is no example; {{n}} in it is the call's number.")
  private @Nullable String data;

  @Mixin private final JvmOptions jvm = new JvmOptions();

  /** As they are spelt in a command. */
  enum Switch {
    on,
    off
  }

  @ArgGroup private Kind kind = new Kind();

  /** What is measured instead of the starts. */
  static final class Kind {
    @Option(
        names = "--throughput",
        description = "One-shot calls a second by 4 clients, against the bare engine in this run.")
    private boolean throughput;

    @Option(
        names = "--soak",
        paramLabel = "N",
        description =
            "So many one-shot calls in a row, and what the daemon holds before and after.")
    private int soak;
  }

  @Override
  public Integer call() throws CliException {
    if (standalone && name.equals(ProgramBench.NAME)) {
      new ProgramBench(given == null ? PROGRAM_COUNT : given, coldCount)
          .run(jvm, output, new ObjectMapper().createObjectNode());
      return 0;
    }
    count = given == null ? COUNT : given;
    if (!standalone) {
      DaemonClient client = daemon.client();
      if (!client.open()) {
        throw new CliException(
            "bench measures without TLS and tokens: give --standalone, or a daemon on loopback"
                + " that asks for neither");
      }
      return measure(client, deployed(client.function(name)), workload(data), null);
    }
    Example example = Example.named(name);
    Path home = Installation.home();
    ObjectNode definition = example.definition(home);
    Workload workload = data == null ? example.workload(home) : workload(data);
    try (StandaloneDaemon own = StandaloneDaemon.start()) {
      return measure(new DaemonClient(DaemonAccess.open(own.uri())), definition, workload, own);
    }
  }

  private static Workload workload(@Nullable String data) throws CliException {
    return new TemplateWorkload(InvokeCommand.payload(data == null ? "{}" : data));
  }

  /** What to deploy again: a description holds every field of a definition, and more. */
  private static ObjectNode deployed(JsonNode function) {
    ObjectNode definition = new ObjectMapper().createObjectNode();
    for (String field : DEFINITION) {
      if (function.has(field)) {
        definition.set(field, function.get(field));
      }
    }
    for (String field : List.of("jars", "layers")) {
      // Described with their hash and size; deployed by where they are.
      ArrayNode sources = definition.putArray(field);
      function.path(field).forEach(jar -> sources.add(jar.path("source").asText()));
    }
    return definition;
  }

  private int measure(
      DaemonClient client, ObjectNode definition, Workload workload, @Nullable StandaloneDaemon own)
      throws CliException {
    jvm.write(definition);
    boolean images = starts.contains(Start.RESTORE) && !kind.throughput && kind.soak == 0;
    definition.put("noImage", !images);
    List<Variant> variants =
        Variant.of(replay.stream().map(Switch.on::equals).toList(), isolation());
    String fresh = name + SUFFIX + variants.get(0).suffix();
    DeployProgress deploy = new DeployProgress(client, output::note, Terminal.ofProcess(false));
    JsonNode function = deploy.run(fresh, oneShot(definition, variants.get(0)));
    try {
      ObjectNode document = head(client, function, fresh);
      return kind.throughput
          ? throughput(client, definition, workload, fresh, document)
          : kind.soak > 0
              ? soak(client, workload, fresh, document, own)
              : starts(client, deploy, definition, workload, variants, document);
    } finally {
      client.remove(fresh);
    }
  }

  private List<Isolation> isolation() throws CliException {
    List<Isolation> levels = new ArrayList<>();
    for (String word : isolation) {
      levels.add(
          Isolation.of(word)
              .orElseThrow(
                  () ->
                      new CliException(
                          "--isolation " + word + ": known are none, process and sandbox")));
    }
    return levels;
  }

  private static ObjectNode oneShot(ObjectNode definition, Variant variant) {
    return variant(definition, variant).put("oneShot", true).put("pool", POOL);
  }

  private static ObjectNode variant(ObjectNode definition, Variant variant) {
    ObjectNode own = definition.deepCopy();
    own.put("replay", variant.replay()).put("isolation", variant.isolation().word());
    return own.put("zygoteMode", "memory"); // every kind of start is to be there all the time
  }

  private ObjectNode head(DaemonClient client, JsonNode function, String fresh)
      throws CliException {
    long residentBytes = 0;
    for (JsonNode zygote : client.list("/v1/zygotes")) {
      if (zygote.path("function").asText().equals(fresh)) {
        residentBytes = zygote.path("residentBytes").asLong();
      }
    }
    String home = function.path("jvm").asText();
    output.line(
        "%s on %s, zygote %s resident".formatted(name, home, Units.mebibytes(residentBytes)));
    return new ObjectMapper()
        .createObjectNode()
        .put("function", name)
        .put("jvm", home)
        .put("residentBytes", residentBytes);
  }

  private int starts(
      DaemonClient client,
      DeployProgress deploy,
      ObjectNode definition,
      Workload workload,
      List<Variant> variants,
      ObjectNode document)
      throws CliException {
    Map<Variant, String> names = new LinkedHashMap<>();
    variants.forEach(variant -> names.put(variant, name + SUFFIX + variant.suffix()));
    String kept = name + SUFFIX + "-kept";
    List<String> deployed = new ArrayList<>();
    try {
      deploy.run(kept, variant(definition, variants.get(0)).put("oneShot", false));
      deployed.add(kept);
      Map<Variant, String> others = new LinkedHashMap<>(names);
      others.remove(variants.get(0)); // deployed already
      for (Map.Entry<Variant, String> other : others.entrySet()) {
        deploy.run(other.getValue(), oneShot(definition, other.getKey()));
        deployed.add(other.getValue());
      }
      String cold =
          starts.contains(Start.COLD)
              ? ", with %d cold starts among them".formatted(Math.min(coldCount, count))
              : "";
      output.line(
          "%d rounds to warm the daemon, then %d rounds of %s%s, %d ms between calls%n"
              .formatted(warmupRounds, count, starts, cold, gapMillis));
      StartsRun run =
          new StartsRun(client, BenchClock.SYSTEM, workload, new StartsRun.Functions(names, kept));
      StartsReport report =
          new StartsReport(
              run.run(
                  new StartsRun.Plan(
                      starts,
                      variants,
                      warmupRounds,
                      count,
                      coldCount,
                      Duration.ofMillis(gapMillis),
                      evictImage)));
      document.put("warmupRounds", warmupRounds).put("gapMillis", gapMillis);
      report.document(document.putArray("results"));
      output.print(document, report::text);
      return report.series().stream().allMatch(series -> series.failed() == 0) ? 0 : 1;
    } finally {
      for (String own : deployed) {
        client.remove(own);
      }
    }
  }

  private int throughput(
      DaemonClient client,
      ObjectNode definition,
      Workload workload,
      String fresh,
      ObjectNode document)
      throws CliException {
    output.line("4 clients without a pause, the daemon and the bare engine in turn, 3 s each\n");
    try (OwnZygote zygote = OwnZygote.build(name, definition)) {
      ThroughputRun.Result result =
          new ThroughputRun(client.daemon(), BenchClock.SYSTEM, workload, fresh, zygote.zygote())
              .run();
      result.document(document.putObject("throughput"));
      output.print(document, result::text);
      return result.failed() == 0 ? 0 : 1;
    }
  }

  private int soak(
      DaemonClient client,
      Workload workload,
      String fresh,
      ObjectNode document,
      @Nullable StandaloneDaemon own)
      throws CliException {
    if (own == null) {
      throw new CliException(
          "--soak looks at the daemon's process and needs one of its own: add --standalone");
    }
    SoakRun.Result result =
        new SoakRun(
                client.daemon(), new DaemonProcess(own.pid()), BenchClock.SYSTEM, workload, fresh)
            .run(kind.soak);
    result.document(document.putObject("soak"));
    output.print(document, result::text);
    return result.failed() == 0 && result.leftProcesses() == 0 ? 0 : 1;
  }
}
