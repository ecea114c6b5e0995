package io.pilotlight.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pilotlight deploy}: hands a function to the daemon and waits until it can be invoked. */
@Command(
    name = "deploy",
    description =
        "Deploys a function, or a new version of it: starts its JVM, initialises and warms it,"
            + " freezes it. What is left out has the daemon's default.")
final class DeployCommand implements Callable<Integer> {
  private final ObjectMapper mapper = new ObjectMapper();

  @Mixin private final DaemonOptions daemon = new DaemonOptions();
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "NAME", description = "The function's name.")
  private String name = "";

  @Option(
      names = "--jar",
      paramLabel = "F",
      split = ",",
      required = true,
      description = "The function's jars, in class path order.")
  private List<Path> jars = List.of();

  @Option(
      names = "--handler",
      paramLabel = "CLASS[::METHOD]",
      required = true,
      description =
          "A class that implements RequestHandler, RequestStreamHandler or Function, or a static"
              + " method.")
  private String handler = "";

  @Option(
      names = "--layer",
      paramLabel = "F",
      description = "A jar that is searched after the function's own; may be repeated.")
  private List<Path> layers = List.of();

  @Option(
      names = "--env",
      paramLabel = "K=V",
      description = "An environment variable, there when classes initialise; may be repeated.")
  private Map<String, String> environment = Map.of();

  @Option(
      names = "--secret",
      paramLabel = "K=V|K=@FILE",
      description =
          "An environment variable that comes with the first call and is in no zygote; may be"
              + " repeated. @FILE keeps it out of the command line.")
  private Map<String, String> secrets = Map.of();

  @Mixin private final LimitOptions limits = new LimitOptions();

  @Option(names = "--timeout", paramLabel = "S", description = "How long a call may take.")
  private @Nullable Integer timeoutSeconds;

  @Option(
      names = "--init-timeout",
      paramLabel = "S",
      description = "How long starting and initialising may take.")
  private @Nullable Integer initTimeoutSeconds;

  @Option(names = "--one-shot", description = "A process serves one call and ends.")
  private boolean oneShot;

  @Option(
      names = "--isolation",
      paramLabel = "KIND",
      description =
          "none, process or sandbox (default: process where it works); 'pilotlight doctor' tells"
              + " which work here.")
  private @Nullable String isolation;

  @Option(names = "--network", description = "Give a sandbox the machine's network.")
  private boolean network;

  @Option(names = "--pool", paramLabel = "N", description = "Clones that are forked ahead.")
  private @Nullable Integer pool;

  @Option(names = "--concurrency", paramLabel = "N", description = "Calls that run at once.")
  private @Nullable Integer concurrency;

  @Option(names = "--idle", paramLabel = "S", description = "How long an idle clone is kept.")
  private @Nullable Integer idleSeconds;

  @Option(
      names = "--warmup-payload",
      paramLabel = "F",
      description = "A JSON file: an event to warm the function with; may be repeated.")
  private List<Path> warmupPayloads = List.of();

  @Option(names = "--warmup-count", paramLabel = "N", description = "Warm-up calls in all.")
  private @Nullable Integer warmupCount;

  @Option(
      names = "--warmup-budget",
      paramLabel = "S",
      description = "Warm-up ends after this time, however many calls were made.")
  private @Nullable Integer warmupBudgetSeconds;

  @Option(
      names = "--no-replay",
      description = "Do not touch in new clones what first calls touch, before they are called.")
  private boolean noReplay;

  @Option(
      names = "--no-image",
      description =
          "Keep no image of its zygote on disk: the function starts cold after a restart.")
  private boolean noImage;

  @Option(
      names = "--zygote",
      paramLabel = "WHERE",
      description =
          "auto: in memory only where forks prove to be faster than restores of the image; memory:"
              + " always; image: never (default: auto).")
  private @Nullable String zygoteMode;

  @Mixin private final JvmOptions jvm = new JvmOptions();

  @Option(
      names = "--fd-policy",
      paramLabel = "FILE",
      description =
          "Rules about descriptors that are open at the freeze, in the format of CRaC's"
              + " jdk.crac.resource-policies.")
  private @Nullable Path descriptorPolicy;

  @Option(
      names = "--agent",
      paramLabel = "OPTION",
      description = "trackDescriptors: a refusal to freeze tells where each descriptor was opened.")
  private @Nullable String agent;

  @Option(
      names = "--progress",
      description = "Tell on stderr how far it is, even if that is no terminal.")
  private boolean progress;

  @Override
  public Integer call() throws CliException {
    DeployProgress deploy =
        new DeployProgress(daemon.client(), output::note, Terminal.ofProcess(progress));
    JsonNode function = deploy.run(name, definition());
    output.print(function, () -> FunctionView.summary(function));
    return 0;
  }

  private ObjectNode definition() throws CliException {
    ObjectNode definition = mapper.createObjectNode();
    paths(definition.putArray("jars"), "--jar", jars);
    paths(definition.putArray("layers"), "--layer", layers);
    definition.put("handler", handler);
    environment.forEach(definition.putObject("env")::put);
    for (Map.Entry<String, String> secret : secrets.entrySet()) {
      definition.withObject("/secrets").put(secret.getKey(), secret(secret.getValue()));
    }
    limits.write(definition);
    put(definition, "timeoutSeconds", timeoutSeconds);
    put(definition, "initTimeoutSeconds", initTimeoutSeconds);
    definition.put("oneShot", oneShot);
    put(definition, "isolation", isolation);
    put(definition, "network", network ? true : null);
    put(definition, "pool", pool);
    put(definition, "concurrency", concurrency);
    put(definition, "idleSeconds", idleSeconds);
    if (!warmupPayloads.isEmpty()) {
      ArrayNode payloads = definition.putArray("warmupPayloads");
      for (Path file : warmupPayloads) {
        payloads.add(payload(file));
      }
    }
    put(definition, "warmupCount", warmupCount);
    put(definition, "warmupBudgetSeconds", warmupBudgetSeconds);
    if (noReplay) {
      definition.put("replay", false);
    }
    if (descriptorPolicy != null) {
      definition.put("fdPolicy", readable("--fd-policy", descriptorPolicy));
    }
    put(definition, "agent", agent);
    if (noImage) {
      definition.put("noImage", true);
    }
    put(definition, "zygoteMode", zygoteMode);
    jvm.write(definition);
    return definition;
  }

  /** As it stands, or of a file, without the end of its last line. */
  /** The value of a secret: what is given, or the content of the file that is named. */
  static String secret(String value) throws CliException {
    if (!value.startsWith("@")) {
      return value;
    }
    Path file = Path.of(value.substring(1));
    try {
      return Files.readString(file).replaceFirst("\\R\\z", "");
    } catch (IOException e) {
      throw new CliException("--secret's file '" + file + "' cannot be read: " + e);
    }
  }

  /** The daemon has a working directory of its own, so paths are made absolute here. */
  private static void paths(ArrayNode array, String option, List<Path> files) throws CliException {
    for (Path file : files) {
      array.add(readable(option, file));
    }
  }

  private static String readable(String option, Path file) throws CliException {
    if (!Files.isReadable(file)) {
      throw new CliException(option + " '" + file + "': there is no such file, or not for you");
    }
    return absolute(file);
  }

  private static String absolute(Path path) {
    return path.toAbsolutePath().normalize().toString();
  }

  private void put(ObjectNode definition, String field, @Nullable Object value) {
    if (value != null) {
      definition.set(field, mapper.valueToTree(value));
    }
  }

  private JsonNode payload(Path file) throws CliException {
    try {
      return mapper.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new CliException(
          "--warmup-payload '" + file + "' is not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new CliException("--warmup-payload '" + file + "' cannot be read: " + e);
    }
  }
}
