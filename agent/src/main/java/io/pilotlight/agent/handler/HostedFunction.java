package io.pilotlight.agent.handler;

import io.pilotlight.agent.clock.Clock;
import io.pilotlight.agent.wire.Frame;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Map;

/** What a function is told about itself: the part of {@code Context} that no call changes. */
public final class HostedFunction {
  private final Clock clock;
  private final String name;
  private final String version;
  private final int memoryMib;
  private final String logGroup;
  private final String arn;
  private volatile String logStream;

  /** Describes the function of {@code init}, run by the process that {@code cloneId} names. */
  public HostedFunction(
      Frame.Init init, Map<String, String> environment, String cloneId, Clock clock) {
    this.clock = clock;
    this.name = init.function();
    this.version = init.version();
    this.memoryMib = init.memoryMib();
    this.logGroup = environment.getOrDefault("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + name);
    this.arn =
        "arn:aws:lambda:"
            + environment.getOrDefault("AWS_REGION", "us-east-1")
            + ":000000000000:function:"
            + name;
    this.logStream = logStream(cloneId);
  }

  /** From here on the process is the clone {@code cloneId}. */
  public void renew(String cloneId) {
    logStream = logStream(cloneId);
  }

  private String logStream(String cloneId) {
    LocalDate today =
        Instant.ofEpochMilli(clock.epochMillis()).atOffset(ZoneOffset.UTC).toLocalDate();
    return today.toString().replace('-', '/') + "/[" + version + "]" + cloneId;
  }

  Clock clock() {
    return clock;
  }

  /** The function's name. */
  public String name() {
    return name;
  }

  /** The function's version. */
  public String version() {
    return version;
  }

  /** The memory limit that it was deployed with. */
  public int memoryMib() {
    return memoryMib;
  }

  /** As AWS names it. */
  public String logGroup() {
    return logGroup;
  }

  /** As AWS names it: date, version, and the name of this clone. */
  public String logStream() {
    return logStream;
  }

  /** The ARN of a call that came without one. */
  public String arn() {
    return arn;
  }
}
