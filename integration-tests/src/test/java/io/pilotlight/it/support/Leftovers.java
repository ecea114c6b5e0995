package io.pilotlight.it.support;

import io.pilotlight.linux.ProcFs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/** At the end of the whole suite: nothing that a test started may still be there. */
public final class Leftovers implements LauncherSessionListener {
  @Override
  public void launcherSessionClosed(LauncherSession session) {
    List<String> found = functionProcesses();
    if (!found.isEmpty()) {
      // A listener cannot fail a test; the runner's exit status is what is left.
      System.err.println("Processes left at the end of the suite: " + found);
      Runtime.getRuntime().halt(1);
    }
  }

  /** Processes with our agent that descend from nobody who will end them. */
  public static List<String> functionProcesses() {
    List<String> found = new ArrayList<>();
    String agent = "-javaagent:" + System.getProperty("pilotlight.agent", "?");
    try {
      for (int pid : ProcFs.processes()) {
        List<String> command = ProcFs.commandLine(pid);
        if (command.stream().anyMatch(argument -> argument.startsWith(agent))) {
          found.add(pid + " " + command);
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return found;
  }
}
