package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.engine.Isolation;
import io.pilotlight.zygote.Limits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What the owner of a function decides, except its jars.
 *
 * @param handler {@code package.Class} or {@code package.Class::method}
 * @param environment variables that its processes see
 * @param secrets variables that its clones see and its zygote does not
 * @param limits what one of its processes may use
 * @param maxAnswerBytes the largest answer; 0 for what the daemon allows
 * @param timeoutSeconds how long one invocation may take
 * @param initTimeoutSeconds how long its JVM may take to start and initialise
 * @param oneShot whether a process serves a single invocation and ends
 * @param pool how many clones wait, forked ahead
 * @param concurrency how many invocations may run at once
 * @param idleSeconds how long a process that has served waits for the next invocation
 * @param warmup the calls that warm its zygote
 * @param replay whether clones touch what first calls touch before they are called
 * @param noImage whether no image of its zygote is kept on disk
 * @param zygoteMode where its zygote is kept
 * @param jvm home of the JDK or JRE that runs it
 * @param jvmArgs further arguments of that JVM
 * @param descriptors what is done about descriptors that are open at the freeze
 * @param isolation how far its processes are kept from everything else
 * @param network whether it has the machine's network in a sandbox
 */
public record FunctionSettings(
    String handler,
    Map<String, String> environment,
    Secrets secrets,
    Limits limits,
    int maxAnswerBytes,
    int timeoutSeconds,
    int initTimeoutSeconds,
    boolean oneShot,
    int pool,
    int concurrency,
    int idleSeconds,
    WarmupSettings warmup,
    boolean replay,
    boolean noImage,
    ZygoteMode zygoteMode,
    Path jvm,
    List<String> jvmArgs,
    DescriptorOptions descriptors,
    Isolation isolation,
    boolean network) {

  /** Copies the collections. */
  public FunctionSettings {
    environment = Map.copyOf(environment);
    jvmArgs = List.copyOf(jvmArgs);
  }

  /**
   * The calls that warm a zygote.
   *
   * @param payloads events, used in turn; empty for no warm-up
   * @param count how many calls at most
   * @param budgetSeconds how long they may take together
   */
  public record WarmupSettings(List<JsonNode> payloads, int count, int budgetSeconds) {
    /** Copies the list. */
    public WarmupSettings {
      payloads = List.copyOf(payloads);
    }
  }
}
