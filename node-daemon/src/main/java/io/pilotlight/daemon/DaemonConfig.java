package io.pilotlight.daemon;

import com.fasterxml.jackson.core.JacksonException;
import io.pilotlight.daemon.function.InvalidFieldException;
import io.pilotlight.daemon.function.JsonFields;
import io.pilotlight.descriptor.DescriptorPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon is told at its start.
 *
 * @param listen where it listens; port 0 for a free one
 * @param door whom it lets in
 * @param dataDirectory what it keeps is here; one daemon at a time
 * @param agentJar the agent that function JVMs get
 * @param defaultJvm home of the JDK of functions that name none
 * @param drainTimeout how long it waits for running invocations when it ends
 * @param keepZygotes whether zygotes live on when it ends, for the next daemon
 * @param limits how much it takes on
 * @param descriptorPolicy rules about open descriptors, behind those of each function
 */
public record DaemonConfig(
    InetSocketAddress listen,
    Door door,
    Path dataDirectory,
    Path agentJar,
    Path defaultJvm,
    Duration drainTimeout,
    boolean keepZygotes,
    Limits limits,
    DescriptorPolicy descriptorPolicy) {

  /** The port of a daemon that is not told another. */
  public static final int DEFAULT_PORT = 7600;

  private static final Set<String> FIELDS =
      new LinkedHashSet<>(
          List.of(
              "listen",
              "insecure",
              "tokenFile",
              "tlsCertificate",
              "tlsKey",
              "roots",
              "data",
              "agent",
              "jvm",
              "drainSeconds",
              "keepZygotes",
              "maxRequestBytes",
              "maxAnswerBytes",
              "maxThreads",
              "maxBuilds",
              "maxWarmPerFunction",
              "maxColdStartsPerFunction",
              "maxEvents",
              "maxEventBytes",
              "connectionIdleSeconds",
              "fdPolicy",
              "controlGroups",
              "zygoteMemoryMib",
              "imageBudgetMib"));

  /**
   * Whom a daemon lets in, and how far.
   *
   * @param insecure whether it may listen elsewhere than on loopback without a token or without TLS
   * @param tokenFile holds what every request must carry; null if nothing
   * @param tlsCertificate PEM file of its certificate; null for plain HTTP
   * @param tlsKey PEM file of the certificate's key; null for plain HTTP
   * @param roots where jars and JDKs of deployments may lie; null for everywhere if it listens on
   *     loopback, else nowhere
   */
  public record Door(
      boolean insecure,
      @Nullable Path tokenFile,
      @Nullable Path tlsCertificate,
      @Nullable Path tlsKey,
      @Nullable List<Path> roots) {
    /** For loopback: everybody on this machine. */
    public static final Door OPEN = new Door(false, null, null, null, null);
  }

  /**
   * How much a daemon takes on.
   *
   * @param maxRequestBytes the largest request body
   * @param maxAnswerBytes the largest answer of a function
   * @param maxThreads threads that serve requests
   * @param maxBuilds zygotes that are built at once
   * @param maxWarmPerFunction processes of a function that may wait after they have served
   * @param maxColdStartsPerFunction JVMs of a function that may start at once for invocations
   * @param maxEvents asynchronous invocations that may wait or run
   * @param maxEventBytes bytes of payload that they may have together
   * @param connectionIdle when a silent connection is closed
   * @param controlGroups whether limits of functions are enforced by control groups, where it can
   * @param zygoteMemoryMib resident memory that all zygotes may have together before those go that
   *     can; 0 for no limit
   * @param imageBudgetMib what all images may take of the disk together before some are removed; 0
   *     for no limit
   */
  public record Limits(
      int maxRequestBytes,
      int maxAnswerBytes,
      int maxThreads,
      int maxBuilds,
      int maxWarmPerFunction,
      int maxColdStartsPerFunction,
      int maxEvents,
      int maxEventBytes,
      Duration connectionIdle,
      boolean controlGroups,
      int zygoteMemoryMib,
      int imageBudgetMib) {

    /** 6 MiB and 100 bytes each way, as AWS Lambda has it; the rest suits a machine of any size. */
    public static Limits defaults() {
      int lambda = (6 << 20) + 100;
      int processors = Runtime.getRuntime().availableProcessors();
      return new Limits(
          lambda,
          lambda,
          1_024,
          Math.max(1, processors / 2),
          64,
          Math.max(2, processors),
          10_000,
          256 << 20,
          Duration.ofSeconds(60),
          true,
          0,
          0);
    }
  }

  /** Everything at its default, on 127.0.0.1:7600. */
  public static DaemonConfig defaults(Path dataDirectory, Path agentJar) {
    return new DaemonConfig(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), DEFAULT_PORT),
        Door.OPEN,
        dataDirectory,
        agentJar,
        Path.of(System.getProperty("java.home")),
        Duration.ofSeconds(30),
        false,
        Limits.defaults(),
        DescriptorPolicy.NONE);
  }

  /** The same, listening there. */
  public DaemonConfig withListen(InetSocketAddress address) {
    return new DaemonConfig(
        address,
        door,
        dataDirectory,
        agentJar,
        defaultJvm,
        drainTimeout,
        keepZygotes,
        limits,
        descriptorPolicy);
  }

  /** The same with another door. */
  public DaemonConfig withDoor(Door other) {
    return new DaemonConfig(
        listen,
        other,
        dataDirectory,
        agentJar,
        defaultJvm,
        drainTimeout,
        keepZygotes,
        limits,
        descriptorPolicy);
  }

  /** The same, with its data there. */
  public DaemonConfig withDataDirectory(Path directory) {
    return new DaemonConfig(
        listen,
        door,
        directory,
        agentJar,
        defaultJvm,
        drainTimeout,
        keepZygotes,
        limits,
        descriptorPolicy);
  }

  /** The same, waiting that long at its end. */
  public DaemonConfig withDrainTimeout(Duration timeout) {
    return new DaemonConfig(
        listen,
        door,
        dataDirectory,
        agentJar,
        defaultJvm,
        timeout,
        keepZygotes,
        limits,
        descriptorPolicy);
  }

  /** The same, letting zygotes live on or not. */
  public DaemonConfig withKeepZygotes(boolean keep) {
    return new DaemonConfig(
        listen,
        door,
        dataDirectory,
        agentJar,
        defaultJvm,
        drainTimeout,
        keep,
        limits,
        descriptorPolicy);
  }

  /** The same, with other limits. */
  public DaemonConfig withLimits(Limits others) {
    return new DaemonConfig(
        listen,
        door,
        dataDirectory,
        agentJar,
        defaultJvm,
        drainTimeout,
        keepZygotes,
        others,
        descriptorPolicy);
  }

  /**
   * The same, changed by what a JSON file says.
   *
   * @throws InvalidFieldException if it is not JSON, or has an unknown field, or a value that is
   *     not allowed
   * @throws IOException if it cannot be read
   */
  public DaemonConfig withFile(Path file) throws InvalidFieldException, IOException {
    byte[] content = Files.readAllBytes(file);
    JsonFields fields;
    try {
      fields = JsonFields.of(JsonFields.strictMapper().readTree(content), file.toString(), FIELDS);
    } catch (IOException e) { // of bytes in memory: they are no JSON, or not even text
      String why = e instanceof JacksonException json ? json.getOriginalMessage() : e.getMessage();
      throw new InvalidFieldException(
          "config", "configuration file " + file + " is not JSON: " + why);
    }
    return new DaemonConfig(
        fields.has("listen") ? address(fields.text("listen", "")) : listen,
        door(fields),
        fields.path("data", dataDirectory),
        fields.path("agent", agentJar),
        fields.path("jvm", defaultJvm),
        Duration.ofSeconds(
            fields.integer("drainSeconds", (int) drainTimeout.toSeconds(), 0, 86_400)),
        fields.flag("keepZygotes", keepZygotes),
        limits(fields),
        fields.policy("fdPolicy", descriptorPolicy));
  }

  private Door door(JsonFields fields) throws InvalidFieldException {
    return new Door(
        fields.flag("insecure", door.insecure()),
        fields.optionalPath("tokenFile", door.tokenFile()),
        fields.optionalPath("tlsCertificate", door.tlsCertificate()),
        fields.optionalPath("tlsKey", door.tlsKey()),
        fields.has("roots") ? fields.paths("roots") : door.roots());
  }

  private Limits limits(JsonFields fields) throws InvalidFieldException {
    int largestPayload = 24 << 20; // a frame of the control channel has room for it
    return new Limits(
        fields.integer("maxRequestBytes", limits.maxRequestBytes(), 1_024, largestPayload),
        fields.integer("maxAnswerBytes", limits.maxAnswerBytes(), 1_024, largestPayload),
        fields.integer("maxThreads", limits.maxThreads(), 64, 32_768),
        fields.integer("maxBuilds", limits.maxBuilds(), 1, 64),
        fields.integer("maxWarmPerFunction", limits.maxWarmPerFunction(), 0, 10_000),
        fields.integer("maxColdStartsPerFunction", limits.maxColdStartsPerFunction(), 1, 1_000),
        fields.integer("maxEvents", limits.maxEvents(), 1, 1_000_000),
        fields.integer("maxEventBytes", limits.maxEventBytes(), 1_024, Integer.MAX_VALUE),
        Duration.ofSeconds(
            fields.integer(
                "connectionIdleSeconds", (int) limits.connectionIdle().toSeconds(), 1, 86_400)),
        fields.flag("controlGroups", limits.controlGroups()),
        fields.integer("zygoteMemoryMib", limits.zygoteMemoryMib(), 0, 1 << 30),
        fields.integer("imageBudgetMib", limits.imageBudgetMib(), 0, 1 << 30));
  }

  /**
   * Reads {@code HOST:PORT}; an IPv6 address stands in brackets.
   *
   * @throws InvalidFieldException naming what is wrong with it
   */
  public static InetSocketAddress address(String text) throws InvalidFieldException {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw new InvalidFieldException(
          "listen", "listen address '" + text + "' is not HOST:PORT, like 127.0.0.1:7600");
    }
    String host = text.substring(0, colon);
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      return new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (IllegalArgumentException e) {
      throw new InvalidFieldException(
          "listen", "listen address '" + text + "' has no port between 0 and 65535");
    } catch (UnknownHostException e) {
      throw new InvalidFieldException(
          "listen", "listen address '" + text + "' names a host that cannot be found: " + host);
    }
  }
}
