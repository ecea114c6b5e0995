package io.pilotlight.daemon.function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Warmup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One version of a function, as it was deployed. Everything here survives the daemon.
 *
 * @param name its name
 * @param version 1 for the first that was deployed under this name, and so on
 * @param deployedEpochMillis when
 * @param jars its jars in class path order
 * @param layers jars that are searched after them
 * @param settings everything else
 */
public record FunctionDefinition(
    String name,
    int version,
    long deployedEpochMillis,
    List<StoredJar> jars,
    List<StoredJar> layers,
    FunctionSettings settings) {

  /** Copies the lists. */
  public FunctionDefinition {
    jars = List.copyOf(jars);
    layers = List.copyOf(layers);
  }

  /** What its JVMs need to know. */
  public FunctionSpec spec() {
    return new FunctionSpec(
        name,
        Integer.toString(version),
        settings.handler(),
        jars.stream().map(StoredJar::path).toList(),
        layers.stream().map(StoredJar::path).toList(),
        settings.environment(),
        settings.limits(),
        settings.jvm(),
        settings.jvmArgs(),
        settings.descriptors(),
        settings.isolation(),
        settings.network());
  }

  /**
   * Its warm-up calls, written by {@code json}: each object or array in one line, and indented as
   * people write it. Code compiled while a parser had never met white space is thrown away by the
   * first call of each clone that meets it.
   */
  Warmup warmup(ObjectMapper json) {
    FunctionSettings.WarmupSettings warmup = settings.warmup();
    if (warmup.payloads().isEmpty() || warmup.count() == 0) {
      return Warmup.NONE;
    }
    List<byte[]> payloads = new ArrayList<>();
    for (JsonNode payload : warmup.payloads()) {
      try {
        payloads.add(json.writeValueAsBytes(payload));
        if (payload.isContainerNode()) {
          payloads.add(json.writerWithDefaultPrettyPrinter().writeValueAsBytes(payload));
        }
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("a JSON tree could not be written", e);
      }
    }
    return new Warmup(
        payloads,
        warmup.count(),
        Duration.ofSeconds(warmup.budgetSeconds()),
        timeout(),
        settings.secrets().values());
  }

  /** How long one invocation may take. */
  public Duration timeout() {
    return Duration.ofSeconds(settings.timeoutSeconds());
  }

  /** How long its JVM may take to start and initialise. */
  public Duration initTimeout() {
    return Duration.ofSeconds(settings.initTimeoutSeconds());
  }
}
