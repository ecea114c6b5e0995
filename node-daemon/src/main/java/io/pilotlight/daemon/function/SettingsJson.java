package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.Limits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Function settings as JSON: the same fields in a deploy request, in the stored definition and in a
 * description. Stateless but for the JVM that is used where a request names none.
 */
public final class SettingsJson {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final Pattern ENVIRONMENT_NAME = Pattern.compile("[^=\\x00]+");
  private static final Pattern JAVA_VERSION = Pattern.compile("JAVA_VERSION=\"(\\d+)[^\"]*\"");
  private static final int OLDEST_JAVA = 17;

  static final String SECRETS = "secrets";
  private static final String NO_IMAGE = "noImage";
  private static final String ZYGOTE_MODE = "zygoteMode";
  private static final int MOST_CPUS = 1_024;

  /** The JVM's own threads, on a machine of some size. */
  private static final int LEAST_PIDS = 32;

  /** The JVM's own descriptors, and some jars. */
  private static final int LEAST_OPEN_FILES = 64;

  /** A frame of the control channel has room for it. */
  private static final int MOST_ANSWER_BYTES = 24 << 20;

  private static final Set<String> SETTINGS =
      new LinkedHashSet<>(
          List.of(
              "handler",
              "env",
              SECRETS,
              "memoryMib",
              "cpus",
              "pidsLimit",
              "openFiles",
              "fileSizeMib",
              "maxAnswerBytes",
              "timeoutSeconds",
              "initTimeoutSeconds",
              "oneShot",
              "isolation",
              "network",
              "pool",
              "concurrency",
              "idleSeconds",
              "warmupPayload",
              "warmupPayloads",
              "warmupCount",
              "warmupBudgetSeconds",
              "replay",
              NO_IMAGE,
              ZYGOTE_MODE,
              "jvm",
              "jvmArgs",
              DescriptorsJson.POLICY,
              DescriptorsJson.AGENT));

  private final Path defaultJvm;
  private final AllowedRoots roots;
  private final Supplier<Isolation> defaultIsolation;
  private final DescriptorsJson descriptors;

  /**
   * Uses the JVM at {@code defaultJvm} where a request names none.
   *
   * @param roots where the files may lie that a request names; the default JVM may lie elsewhere
   * @param defaultIsolation of functions whose request names none; asked when there is one
   */
  public SettingsJson(Path defaultJvm, AllowedRoots roots, Supplier<Isolation> defaultIsolation) {
    this.defaultJvm = defaultJvm;
    this.roots = roots;
    this.defaultIsolation = defaultIsolation;
    this.descriptors = new DescriptorsJson(roots);
  }

  /** Refuses a name that no function can have. */
  public static void checkName(String name) throws InvalidFieldException {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidFieldException(
          "name",
          "function name '"
              + name
              + "' is not allowed; 1 to 64 letters, digits, hyphens and underscores are");
    }
  }

  /** Reads and validates the body of a deploy request. */
  public DeployRequest deployRequest(JsonNode body) throws InvalidFieldException {
    Set<String> known = new LinkedHashSet<>(List.of("jars", "layers"));
    known.addAll(SETTINGS);
    JsonFields fields = JsonFields.of(body, "the deploy request", known);
    List<Path> jars = real("jars", fields.paths("jars"));
    if (jars.isEmpty()) {
      throw new InvalidFieldException(
          "jars", "field 'jars' is missing or empty; give the absolute path of at least one jar");
    }
    FunctionSettings settings = settings(fields);
    if (!settings.jvm().equals(defaultJvm)) {
      roots.real("jvm", settings.jvm());
    }
    checkJvm(settings.jvm());
    return new DeployRequest(jars, real("layers", fields.paths("layers")), settings);
  }

  private List<Path> real(String field, List<Path> paths) throws InvalidFieldException {
    List<Path> real = new ArrayList<>();
    for (Path path : paths) {
      real.add(roots.real(field, path));
    }
    return real;
  }

  /**
   * Reads the settings of a stored definition. Its JVM may have gone meanwhile: the build says so.
   */
  FunctionSettings stored(JsonNode node) throws InvalidFieldException {
    return settings(JsonFields.of(node, "the stored settings", SETTINGS));
  }

  private FunctionSettings settings(JsonFields fields) throws InvalidFieldException {
    return new FunctionSettings(
        fields.requiredText("handler", "com.example.Handler::handle"),
        variables("env", fields),
        secrets(fields),
        limits(fields),
        fields.integer("maxAnswerBytes", 0, 0, MOST_ANSWER_BYTES),
        fields.integer("timeoutSeconds", 30, 1, 3_600),
        fields.integer("initTimeoutSeconds", 60, 1, 3_600),
        fields.flag("oneShot", false),
        fields.integer("pool", 2, 0, 1_000),
        fields.integer("concurrency", 64, 1, 10_000),
        fields.integer("idleSeconds", 300, 0, 86_400),
        warmup(fields),
        fields.flag("replay", true),
        fields.flag(NO_IMAGE, false),
        zygoteMode(fields),
        fields.path("jvm", defaultJvm),
        fields.texts("jvmArgs"),
        descriptors.read(fields),
        isolation(fields),
        fields.flag("network", false));
  }

  private Isolation isolation(JsonFields fields) throws InvalidFieldException {
    if (!fields.has("isolation")) {
      return defaultIsolation.get();
    }
    String word = fields.text("isolation", "");
    return Isolation.of(word)
        .orElseThrow(
            () ->
                new InvalidFieldException(
                    "isolation",
                    "field 'isolation' is '"
                        + word
                        + "'; 'none', 'process' or 'sandbox' is allowed"));
  }

  private static ZygoteMode zygoteMode(JsonFields fields) throws InvalidFieldException {
    String word = fields.text(ZYGOTE_MODE, ZygoteMode.AUTO.word());
    ZygoteMode mode =
        ZygoteMode.of(word)
            .orElseThrow(
                () ->
                    new InvalidFieldException(
                        ZYGOTE_MODE,
                        "field '"
                            + ZYGOTE_MODE
                            + "' is '"
                            + word
                            + "'; allowed are "
                            + String.join(", ", ZygoteMode.words())));
    if (mode == ZygoteMode.IMAGE && fields.flag(NO_IMAGE, false)) {
      throw new InvalidFieldException(
          ZYGOTE_MODE,
          "field '" + ZYGOTE_MODE + "' is 'image', but '" + NO_IMAGE + "' is true; leave one out");
    }
    return mode;
  }

  private static Limits limits(JsonFields fields) throws InvalidFieldException {
    return new Limits(
        fields.integer("memoryMib", 512, 64, 1 << 20),
        fields.thousandths("cpus", 0, MOST_CPUS),
        fields.integer("pidsLimit", Limits.DEFAULT_PIDS, LEAST_PIDS, 1 << 22),
        fields.integer("openFiles", Limits.DEFAULT_OPEN_FILES, LEAST_OPEN_FILES, 1 << 20),
        fields.integer("fileSizeMib", 0, 0, 1 << 20));
  }

  private static Map<String, String> variables(String field, JsonFields fields)
      throws InvalidFieldException {
    Map<String, String> variables = fields.textMap(field);
    for (String name : variables.keySet()) {
      if (!ENVIRONMENT_NAME.matcher(name).matches()) {
        throw new InvalidFieldException(
            field,
            "field '"
                + field
                + "' has a variable named '"
                + name
                + "'; a name without '=' is needed");
      }
    }
    return variables;
  }

  private static Secrets secrets(JsonFields fields) throws InvalidFieldException {
    Map<String, String> secrets = variables(SECRETS, fields);
    for (String name : fields.textMap("env").keySet()) {
      if (secrets.containsKey(name)) {
        throw new InvalidFieldException(
            SECRETS, "variable '" + name + "' is in 'env' and in 'secrets'; leave one out");
      }
    }
    return new Secrets(secrets);
  }

  private static FunctionSettings.WarmupSettings warmup(JsonFields fields)
      throws InvalidFieldException {
    if (fields.has("warmupPayload") && fields.has("warmupPayloads")) {
      throw new InvalidFieldException(
          "warmupPayload", "fields 'warmupPayload' and 'warmupPayloads' exclude each other");
    }
    List<JsonNode> payloads = new ArrayList<>();
    if (fields.has("warmupPayload")) {
      payloads.add(fields.raw("warmupPayload"));
    }
    fields.array("warmupPayloads").forEach(payloads::add);
    return new FunctionSettings.WarmupSettings(
        payloads,
        fields.integer("warmupCount", 2_000, 0, 1_000_000),
        fields.integer("warmupBudgetSeconds", 30, 1, 3_600));
  }

  private static void checkJvm(Path home) throws InvalidFieldException {
    Path java = home.resolve("bin/java");
    if (!Files.isExecutable(java)) {
      throw new InvalidFieldException(
          "jvm",
          "field 'jvm' is " + home + ", but there is no executable " + java + "; give a JDK home");
    }
    int version = javaVersion(home);
    if (version < OLDEST_JAVA) {
      throw new InvalidFieldException(
          "jvm", "field 'jvm' is " + home + ", a Java " + version + "; Java 17 or later is needed");
    }
  }

  private static int javaVersion(Path home) throws InvalidFieldException {
    Path release = home.resolve("release");
    try {
      Matcher matcher = JAVA_VERSION.matcher(Files.readString(release, StandardCharsets.UTF_8));
      if (matcher.find()) {
        return Integer.parseInt(matcher.group(1));
      }
    } catch (IOException | NumberFormatException e) {
      throw new InvalidFieldException(
          "jvm", "field 'jvm' is " + home + ", but " + release + " cannot be read: " + e);
    }
    throw new InvalidFieldException(
        "jvm", "field 'jvm' is " + home + ", but " + release + " has no JAVA_VERSION");
  }

  /** Writes the settings for the daemon's own store: with the values of secrets. */
  void writeToStore(FunctionSettings settings, ObjectNode out) {
    write(settings, out);
    settings.secrets().values().forEach(out.putObject(SECRETS)::put);
  }

  /**
   * Writes the settings into {@code out}, every field with its value in force, but of secrets only
   * the names.
   */
  public void write(FunctionSettings settings, ObjectNode out) {
    out.put("handler", settings.handler());
    ObjectNode environment = out.putObject("env");
    settings.environment().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> environment.put(entry.getKey(), entry.getValue()));
    settings.secrets().names().forEach(out.putArray(SECRETS)::add);
    Limits limits = settings.limits();
    out.put("memoryMib", limits.memoryMib());
    out.put("cpus", limits.cpuMillis() / 1e3);
    out.put("pidsLimit", limits.pids());
    out.put("openFiles", limits.openFiles());
    out.put("fileSizeMib", limits.fileSizeMib());
    out.put("maxAnswerBytes", settings.maxAnswerBytes());
    out.put("timeoutSeconds", settings.timeoutSeconds());
    out.put("initTimeoutSeconds", settings.initTimeoutSeconds());
    out.put("oneShot", settings.oneShot());
    out.put("isolation", settings.isolation().word());
    out.put("network", settings.network());
    out.put("pool", settings.pool());
    out.put("concurrency", settings.concurrency());
    out.put("idleSeconds", settings.idleSeconds());
    settings.warmup().payloads().forEach(out.putArray("warmupPayloads")::add);
    out.put("warmupCount", settings.warmup().count());
    out.put("warmupBudgetSeconds", settings.warmup().budgetSeconds());
    out.put("replay", settings.replay());
    out.put(NO_IMAGE, settings.noImage());
    out.put(ZYGOTE_MODE, settings.zygoteMode().word());
    out.put("jvm", settings.jvm().toString());
    settings.jvmArgs().forEach(out.putArray("jvmArgs")::add);
    descriptors.write(settings.descriptors(), out);
  }
}
