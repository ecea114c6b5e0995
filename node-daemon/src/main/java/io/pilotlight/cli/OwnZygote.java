package io.pilotlight.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.BuildProgress;
import io.pilotlight.zygote.EngineListener;
import io.pilotlight.zygote.FunctionSpec;
import io.pilotlight.zygote.Limits;
import io.pilotlight.zygote.LocalZygoteHost;
import io.pilotlight.zygote.Warmup;
import io.pilotlight.zygote.Zygote;
import io.pilotlight.zygote.ZygoteHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A zygote that this process holds itself, without a daemon: for the bare engine's throughput. */
final class OwnZygote implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration WARMUP_BUDGET = Duration.ofSeconds(30);
  private static final int MEMORY_MIB = 512;

  private final TemporaryDirectory directory;
  private final ZygoteHost host;
  private final Zygote zygote;

  private OwnZygote(TemporaryDirectory directory, ZygoteHost host, Zygote zygote) {
    this.directory = directory;
    this.host = host;
    this.zygote = zygote;
  }

  /** Builds one of what would be deployed with this definition. */
  static OwnZygote build(String name, JsonNode definition) throws CliException {
    TemporaryDirectory directory = TemporaryDirectory.create("pilotlight-bare-");
    ZygoteHost host = null;
    Zygote zygote = null;
    try {
      host = new LocalZygoteHost(directory.path(), Installation.agent(), EngineListener.NONE);
      zygote = host.build(spec(name, definition), warmup(definition), PATIENCE, BuildProgress.NONE);
      return new OwnZygote(directory, host, zygote);
    } catch (IOException | BuildException e) {
      throw new CliException("the bare engine's zygote cannot be built: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CliException("interrupted while the bare engine's zygote was built");
    } finally {
      if (zygote == null) {
        end(directory, host);
      }
    }
  }

  private static void end(TemporaryDirectory directory, @Nullable ZygoteHost host)
      throws CliException {
    if (host != null) {
      host.close();
    }
    directory.close();
  }

  Zygote zygote() {
    return zygote;
  }

  private static FunctionSpec spec(String name, JsonNode definition) {
    Map<String, String> environment = new HashMap<>();
    definition
        .path("env")
        .properties()
        .forEach(entry -> environment.put(entry.getKey(), entry.getValue().asText()));
    return new FunctionSpec(
        name,
        "bare",
        definition.path("handler").asText(),
        paths(definition.path("jars")),
        paths(definition.path("layers")),
        environment,
        Limits.ofMemory(definition.path("memoryMib").asInt(MEMORY_MIB)),
        Path.of(definition.path("jvm").asText(System.getProperty("java.home"))),
        texts(definition.path("jvmArgs")));
  }

  private static Warmup warmup(JsonNode definition) {
    List<byte[]> payloads = new ArrayList<>();
    definition
        .path("warmupPayloads")
        .forEach(event -> payloads.add(event.toString().getBytes(StandardCharsets.UTF_8)));
    return payloads.isEmpty()
        ? Warmup.NONE
        : new Warmup(payloads, definition.path("warmupCount").asInt(), WARMUP_BUDGET, PATIENCE);
  }

  private static List<Path> paths(JsonNode array) {
    return texts(array).stream().map(Path::of).toList();
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(element -> texts.add(element.asText()));
    return texts;
  }

  @Override
  public void close() throws CliException {
    end(directory, host);
  }
}
