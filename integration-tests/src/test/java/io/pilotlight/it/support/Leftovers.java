package io.pilotlight.it.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/** At the end of the whole suite: nothing that a test started or wrote may still be there. */
public final class Leftovers implements LauncherSessionListener {
  private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir"));

  @Override
  public void launcherSessionClosed(LauncherSession session) {
    List<String> found = new ArrayList<>();
    try {
      found.addAll(functionProcesses());
      found.addAll(directories());
      found.addAll(sockets());
    } catch (IOException e) {
      found.add("what is left cannot be told: " + e);
    }
    if (!found.isEmpty()) {
      // A listener cannot fail a test; the runner's exit status is what is left. The runner no
      // longer
      // forwards what System.err is given by now.
      byte[] text =
          ("Left at the end of the suite:\n" + String.join("\n", found) + "\n").getBytes(UTF_8);
      try (FileOutputStream err = new FileOutputStream(FileDescriptor.err)) {
        err.write(text);
      } catch (IOException e) {
        // The exit status tells that something was left.
      }
      Runtime.getRuntime().halt(1);
    }
  }

  /** Processes with the agent that was built here: zygotes, clones and cold JVMs. */
  public static List<String> functionProcesses() throws IOException {
    String built =
        "-javaagent:" + Path.of(System.getProperty("pilotlight.root")).toRealPath() + "/";
    String copied = "-javaagent:" + TEMPORARY.resolve(Daemons.PREFIX);
    return ProcessTable.withArgument(
            argument ->
                (argument.startsWith(built) || argument.startsWith(copied))
                    && argument.contains("=owner="))
        .stream()
        .map(entry -> "process " + entry.pid() + " " + entry.command())
        .toList();
  }

  /** Directories of {@link Daemons}, data directories in them, that were not removed. */
  private static List<String> directories() throws IOException {
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(TEMPORARY, Daemons.PREFIX + "*")) {
      entries.forEach(entry -> found.add("directory " + entry));
    }
    return found;
  }

  /** Sockets in a directory of {@link Daemons} that somebody still has open. */
  private static List<String> sockets() throws IOException {
    List<String> found = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/net/unix"))) {
      if (line.contains(TEMPORARY.resolve(Daemons.PREFIX).toString())) {
        found.add("socket " + line);
      }
    }
    return found;
  }
}
