package io.pilotlight.zygote;

import io.pilotlight.zygote.BuildException.Fault;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/**
 * The command line of a function's JVM. The same for a zygote and for a cold start, so that the two
 * can be compared, and so that a function behaves alike in both.
 */
public final class JvmCommand {
  /** The agent's descriptor for its control channel. */
  static final int CHANNEL_DESCRIPTOR = 3;

  /** The zygote's descriptor for its fork server's socket. */
  static final int LISTEN_DESCRIPTOR = 4;

  private static final Set<String> LOCALE_VARIABLES = Set.of("LANG", "LC_ALL", "LC_CTYPE");
  private static final String MAIN_CLASS = "io.pilotlight.agent.FunctionHost";
  private static final int MINIMUM_FEATURE = 17;

  /** Flags with which a JVM cannot be forked, each with the reason and the way out. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "-XX:+UseZGC",
          "ZGC keeps its heap in shared memory, which all clones would write at once; use -XX:+UseSerialGC (the"
              + " default), -XX:+UseParallelGC, -XX:+UseG1GC or -XX:+UseShenandoahGC",
          "-XX:+UsePerfData",
          "the JVM's performance data is shared memory, which all clones would write at once; leave the flag out",
          "-XX:+UseSHM",
          "System V shared memory would be written by all clones at once; use -XX:+UseTransparentHugePages");

  private JvmCommand() {}

  /**
   * Looks for what cannot work, before anything is started.
   *
   * @throws BuildException with {@link Fault#CONFIGURATION}, naming the flag or the JVM, the reason
   *     and what to change
   */
  public static void check(FunctionSpec spec) throws BuildException {
    check(spec.javaHome(), spec.jvmArgs());
  }

  /** The same for a program; any of its words may be meant for the JVM. */
  public static void check(ProgramSpec spec) throws BuildException {
    check(spec.javaHome(), spec.command());
  }

  private static void check(Path javaHome, List<String> arguments) throws BuildException {
    for (String argument : arguments) {
      String reason = REFUSED.get(argument);
      if (reason != null) {
        throw configuration("JVM argument " + argument + " cannot be used: " + reason + ".");
      }
    }
    Path java = java(javaHome);
    if (!Files.isExecutable(java)) {
      throw configuration("'" + javaHome + "' is no JDK: there is no executable " + java + ".");
    }
    int feature = featureVersion(javaHome);
    if (feature < MINIMUM_FEATURE) {
      throw configuration(
          "The JDK at "
              + javaHome
              + " is version "
              + feature
              + "; "
              + MINIMUM_FEATURE
              + " or later is needed.");
    }
  }

  private static BuildException configuration(String message) {
    return new BuildException(Fault.CONFIGURATION, message, "", null, null);
  }

  /** The launcher of a JDK. */
  static Path java(Path home) {
    return home.resolve("bin").resolve("java");
  }

  /**
   * From the file {@code release}, which every JDK since 9 has; starting the JVM to ask it would
   * take longer.
   */
  private static int featureVersion(Path home) throws BuildException {
    Path release = home.resolve("release");
    Properties properties = new Properties();
    try (Reader in = Files.newBufferedReader(release, StandardCharsets.UTF_8)) {
      properties.load(in);
      String version = properties.getProperty("JAVA_VERSION", "").replace("\"", "");
      return Runtime.Version.parse(version).feature();
    } catch (IOException | IllegalArgumentException e) {
      throw new BuildException(
          Fault.CONFIGURATION,
          "The version of the JDK at " + home + " cannot be read from " + release + ": " + e,
          "",
          null,
          e);
    }
  }

  /**
   * What makes a better zygote, on every HotSpot since 17; before the function's own arguments,
   * which override it. Methods are compiled for good after a fifth of the usual number of calls, so
   * that a warm-up of a few thousand does it: code that still counts its calls writes to hundreds
   * of pages in each clone. The CDS archive stays where it was made for and thus in the page cache,
   * instead of being moved, and so copied, for each JVM. The code cache grows in huge pages.
   */
  private static final List<String> ZYGOTE_OPTIONS =
      List.of(
          "-XX:CompileThresholdScaling=0.2",
          "-XX:-SegmentedCodeCache",
          "-XX:InitialCodeCacheSize=4m",
          "-XX:CodeCacheExpansionSize=2m",
          "-XX:+UnlockDiagnosticVMOptions",
          "-XX:ArchiveRelocationMode=0");

  /**
   * The program and its arguments.
   *
   * @param zygote whether the JVM is to become one
   */
  static List<String> of(FunctionSpec spec, Path agentJar, String owner, boolean zygote) {
    List<String> command = new ArrayList<>();
    command.add(java(spec.javaHome()).toString());
    if (!choosesCollector(spec)) {
      command.add("-XX:+UseSerialGC");
    }
    command.addAll(limits(spec.limits()));
    command.add("-XX:-UsePerfData");
    command.add("-XX:+ExitOnOutOfMemoryError");
    command.add("-XX:+ErrorFileToStderr");
    command.add("-XX:-CreateCoredumpOnCrash");
    if (zygote) {
      command.addAll(ZYGOTE_OPTIONS);
    }
    command.addAll(spec.jvmArgs());
    if (zygote && spec.descriptors().tracked()) {
      command.add("-Dpilotlight.agent.options=trackDescriptors");
    }
    command.add("-javaagent:" + agentJar + "=" + ownerMarker(owner));
    command.add("-Dpilotlight.control.fd=" + CHANNEL_DESCRIPTOR);
    command.add("-cp");
    command.add(agentJar.toString());
    command.add(MAIN_CLASS);
    return command;
  }

  /**
   * What the JVM can keep to by itself, and then says so; before the function's own arguments. The
   * heap has its full size from the beginning, touched or not: else its generations are as large as
   * suits the machine, or the control group, if the JVM is in that early enough to see it.
   */
  private static List<String> limits(Limits limits) {
    List<String> flags = new ArrayList<>();
    flags.add("-Xmx" + limits.heapMib() + "m");
    flags.add("-XX:InitialRAMPercentage=100");
    flags.add("-XX:MaxDirectMemorySize=" + limits.directMib() + "m");
    flags.add("-XX:MaxMetaspaceSize=" + limits.metaspaceMib() + "m");
    if (limits.processors() > 0) {
      flags.add("-XX:ActiveProcessorCount=" + limits.processors());
    }
    return flags;
  }

  /**
   * The whole environment: the function's, and UTF-8 where that does not say otherwise. Without a
   * locale a JVM takes texts for ASCII: in variables and file names, on stdout, and up to JDK 17 in
   * every conversion that names no charset.
   */
  static Map<String, String> environment(FunctionSpec spec) {
    Map<String, String> environment = new HashMap<>(spec.environment());
    if (LOCALE_VARIABLES.stream().noneMatch(environment::containsKey)) {
      environment.put("LANG", "C.UTF-8");
    }
    return environment;
  }

  private static boolean choosesCollector(FunctionSpec spec) {
    return spec.jvmArgs().stream().anyMatch(argument -> argument.matches("-XX:\\+Use\\w+GC"));
  }

  /** Whether the JVM runs the Serial collector. */
  static boolean usesSerial(FunctionSpec spec) {
    return !choosesCollector(spec) || spec.jvmArgs().contains("-XX:+UseSerialGC");
  }

  /** By this text on its command line a later daemon knows a process of its data directory. */
  static String ownerMarker(String owner) {
    return "owner=" + owner;
  }
}
