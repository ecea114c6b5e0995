package io.pilotlight.zygote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pilotlight.descriptor.DescriptorOptions;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.descriptor.PolicyException;
import io.pilotlight.engine.CloneCall;
import io.pilotlight.engine.ForkEngine.Blueprint;
import io.pilotlight.engine.Isolation;
import io.pilotlight.engine.Residence;
import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * What a later daemon must know to take a zygote over, as a file beside the zygote's socket. It
 * holds the function's environment, so only its owner may read it.
 *
 * @param id the zygote's id
 * @param pid its process
 * @param startTicks when that was started: a process of that pid with another start is not it
 * @param keeperPid the first process of its PID namespace; 0 if it has none of its own
 * @param spec what it hosts
 * @param blueprint how to fork it
 * @param residence what an image of it must know
 * @param warnings what its build had to say
 */
record ZygoteRecord(
    String id,
    int pid,
    long startTicks,
    int keeperPid,
    FunctionSpec spec,
    Blueprint blueprint,
    Residence residence,
    List<String> warnings) {
  static final String SUFFIX = ".zygote";
  private static final String FORMAT = "7";

  private static final ObjectMapper JSON = new ObjectMapper();

  static Path file(Path directory, String id) {
    return directory.resolve(id + SUFFIX);
  }

  /** Writes it whole or not at all. */
  void write(Path directory) throws IOException {
    Properties values = new Properties();
    values.setProperty("format", FORMAT);
    values.setProperty("id", id);
    values.setProperty("pid", Integer.toString(pid));
    values.setProperty("startTicks", Long.toString(startTicks));
    values.setProperty("function", spec.name());
    values.setProperty("version", spec.version());
    values.setProperty("handler", spec.handler());
    Limits limits = spec.limits();
    values.setProperty("memoryMib", Integer.toString(limits.memoryMib()));
    values.setProperty("cpuMillis", Integer.toString(limits.cpuMillis()));
    values.setProperty("pids", Integer.toString(limits.pids()));
    values.setProperty("openFiles", Integer.toString(limits.openFiles()));
    values.setProperty("fileSizeMib", Integer.toString(limits.fileSizeMib()));
    values.setProperty("javaHome", spec.javaHome().toString());
    values.setProperty("threads", Integer.toString(blueprint.threads()));
    CloneCall call = blueprint.call();
    values.setProperty("leaderThreadId", Long.toString(call.leaderThreadId()));
    values.setProperty("cloneFlags", Long.toString(call.flags()));
    values.setProperty("clonePidfd", Long.toString(call.pidfd()));
    values.setProperty("keeperPid", Integer.toString(keeperPid));
    values.setProperty("isolation", spec.isolation().word());
    values.setProperty("network", Boolean.toString(spec.network()));
    values.setProperty("residence", JSON.writeValueAsString(residence));
    put(values, "jar", spec.jars().stream().map(Path::toString).toList());
    put(values, "layer", spec.layers().stream().map(Path::toString).toList());
    put(values, "jvmArg", spec.jvmArgs());
    values.setProperty("descriptorPolicy", spec.descriptors().policy().text());
    values.setProperty("trackDescriptors", Boolean.toString(spec.descriptors().tracked()));
    put(values, "step", blueprint.stepNames());
    put(values, "warning", warnings);
    spec.environment().forEach((name, value) -> values.setProperty("env." + name, value));
    StringWriter text = new StringWriter();
    values.store(text, null);
    Path file = file(directory, id);
    Path temporary = directory.resolve(id + ".new");
    Files.deleteIfExists(temporary);
    Files.createFile(
        temporary,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(temporary, text.toString(), StandardOpenOption.WRITE);
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void put(Properties values, String name, List<String> list) {
    for (int i = 0; i < list.size(); i++) {
      values.setProperty(name + "." + i, list.get(i));
    }
  }

  /** Reads one; its message says what is wrong with a file that is none. */
  static ZygoteRecord read(Path file) throws IOException {
    Properties values = new Properties();
    try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      values.load(in);
      if (!FORMAT.equals(values.getProperty("format"))) {
        throw new IOException(
            file + " has format " + values.getProperty("format") + ", not " + FORMAT);
      }
      FunctionSpec spec =
          new FunctionSpec(
              required(values, "function"),
              required(values, "version"),
              required(values, "handler"),
              list(values, "jar").stream().map(Path::of).toList(),
              list(values, "layer").stream().map(Path::of).toList(),
              environment(values),
              limits(values),
              Path.of(required(values, "javaHome")),
              list(values, "jvmArg"),
              new DescriptorOptions(
                  DescriptorPolicy.parse(required(values, "descriptorPolicy")),
                  Boolean.parseBoolean(required(values, "trackDescriptors"))),
              Isolation.of(required(values, "isolation"))
                  .orElseThrow(() -> new IllegalArgumentException("isolation")),
              Boolean.parseBoolean(required(values, "network")));
      Blueprint blueprint =
          new Blueprint(
              Integer.parseInt(required(values, "threads")),
              new CloneCall(
                  Long.parseLong(required(values, "cloneFlags")),
                  Long.parseLong(required(values, "clonePidfd")),
                  Long.parseLong(required(values, "leaderThreadId"))),
              list(values, "step"));
      return new ZygoteRecord(
          required(values, "id"),
          Integer.parseInt(required(values, "pid")),
          Long.parseLong(required(values, "startTicks")),
          Integer.parseInt(required(values, "keeperPid")),
          spec,
          blueprint,
          JSON.readValue(required(values, "residence"), Residence.class),
          list(values, "warning"));
    } catch (IllegalArgumentException | JsonProcessingException | PolicyException e) {
      throw new IOException(file + " is no zygote record: " + e.getMessage(), e);
    }
  }

  private static Limits limits(Properties values) throws IOException {
    return new Limits(
        Integer.parseInt(required(values, "memoryMib")),
        Integer.parseInt(required(values, "cpuMillis")),
        Integer.parseInt(required(values, "pids")),
        Integer.parseInt(required(values, "openFiles")),
        Integer.parseInt(required(values, "fileSizeMib")));
  }

  private static String required(Properties values, String name) throws IOException {
    String value = values.getProperty(name);
    if (value == null) {
      throw new IOException("a zygote record has no value for '" + name + "'");
    }
    return value;
  }

  private static List<String> list(Properties values, String name) {
    List<String> found = new ArrayList<>();
    for (int i = 0; ; i++) {
      String value = values.getProperty(name + "." + i);
      if (value == null) {
        return found;
      }
      found.add(value);
    }
  }

  private static Map<String, String> environment(Properties values) {
    Map<String, String> environment = new HashMap<>();
    for (String name : values.stringPropertyNames()) {
      if (name.startsWith("env.")) {
        environment.put(name.substring("env.".length()), values.getProperty(name));
      }
    }
    return environment;
  }
}
