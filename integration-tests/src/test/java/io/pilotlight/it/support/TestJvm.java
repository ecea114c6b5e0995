package io.pilotlight.it.support;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The JDK that the tests run on, which is also the one that functions run on. */
public final class TestJvm {
  private TestJvm() {}

  /** Its home. */
  public static Path home() {
    return Path.of(System.getProperty("java.home"));
  }

  /** One of its tools. */
  public static Path tool(String name) {
    return home().resolve("bin").resolve(name);
  }

  /** The agent, as it was built. */
  public static Path agentJar() {
    return Path.of(System.getProperty("pilotlight.agent"));
  }

  /** The jar of an example, as it was built. */
  public static Path example(String name) {
    return Path.of(
        System.getProperty("pilotlight.root"), "examples", name, "target", name + ".jar");
  }

  /** The collectors of this JDK that can be forked, as flags. */
  public static List<String> collectors() throws Exception {
    List<String> flags = new ArrayList<>();
    for (String name : List.of("Serial", "Parallel", "G1", "Shenandoah")) {
      String flag = "-XX:+Use" + name + "GC";
      Process probe =
          new ProcessBuilder(tool("java").toString(), flag, "-version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (probe.waitFor() == 0) {
        flags.add(flag);
      }
    }
    return flags;
  }

  /** Runs a tool of this JDK and returns what it printed; fails if it failed. */
  public static String run(String tool, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(tool(tool).toString()));
    command.addAll(List.of(arguments));
    return run(command);
  }

  /** Runs a command and returns what it printed; fails if it failed. */
  public static String run(List<String> command) throws Exception {
    Path output = Files.createTempFile("tool", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      int status = process.waitFor();
      String text = Files.readString(output);
      if (status != 0) {
        throw new AssertionError(command + " ended with " + status + ": " + text);
      }
      return text;
    } finally {
      Files.delete(output);
    }
  }
}
