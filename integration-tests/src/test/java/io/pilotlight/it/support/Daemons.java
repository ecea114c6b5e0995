package io.pilotlight.it.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * Daemons of a test, or of a test class where the field is static. At its end each is stopped, and
 * must leave no process behind. A failure is shown with the end of their logs.
 */
public final class Daemons
    implements BeforeAllCallback,
        AfterAllCallback,
        AfterEachCallback,
        TestExecutionExceptionHandler,
        LifecycleMethodExecutionExceptionHandler {
  private static final int LOG_CHARS = 12_000;

  /** The directories of this run of the suite begin so, and of no other that runs meanwhile. */
  static final String PREFIX = "pilotlight-it-" + ProcessHandle.current().pid() + "-";

  private final List<DaemonProcess> daemons = new ArrayList<>();
  private boolean shared;
  private Path directory;

  /** A directory that is removed at the end. */
  public Path directory() throws IOException {
    if (directory == null) {
      directory = Files.createTempDirectory(PREFIX);
    }
    return directory;
  }

  /** Starts a daemon with a data directory of its own. */
  public DaemonProcess start(String... arguments) throws Exception {
    return start(DaemonProcess.Setup.on(newData()).with(arguments));
  }

  /** A data directory for one more daemon. */
  public Path newData() throws IOException {
    return Files.createTempDirectory(directory(), "data-");
  }

  /** Starts a daemon like that. */
  public DaemonProcess start(DaemonProcess.Setup setup) throws Exception {
    return start(setup, ProcessBuilder::start);
  }

  /** Starts a daemon like that, in another way than others. */
  public DaemonProcess start(DaemonProcess.Setup setup, DaemonProcess.Starter starter)
      throws Exception {
    DaemonProcess daemon = DaemonProcess.start(setup, directory(), starter);
    daemons.add(daemon);
    return daemon;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    shared = true;
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    if (!shared) {
      endAll();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    endAll();
  }

  private void endAll() throws Exception {
    List<String> left = new ArrayList<>();
    for (DaemonProcess daemon : daemons) {
      daemon.end();
    }
    for (DaemonProcess daemon : daemons) {
      for (ProcessTable.Entry entry : daemon.functionProcesses()) {
        left.add(entry.toString());
        ProcessHandle.of(entry.pid()).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
    for (DaemonProcess daemon : daemons) {
      for (Path group : daemon.controlGroups()) {
        if (cleansUp(daemon.setup().data())) {
          left.add("control group " + group);
        }
        ControlGroupTable.remove(group);
      }
    }
    String logs = logs();
    daemons.clear();
    if (directory != null) {
      FileTree.delete(directory);
      directory = null;
    }
    if (!left.isEmpty()) {
      throw new AssertionError("left by a daemon: " + left + "\n" + logs);
    }
  }

  /** A daemon that is killed cannot; the next one on its data does. */
  private boolean cleansUp(Path data) {
    return daemons.stream().anyMatch(d -> d.setup().data().equals(data) && !d.killed());
  }

  @Override
  public void handleTestExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    throw withLogs(failure);
  }

  @Override
  public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    throw withLogs(failure);
  }

  private Throwable withLogs(Throwable failure) {
    if (!daemons.isEmpty()) {
      failure.addSuppressed(new AssertionError(logs()));
    }
    return failure;
  }

  private String logs() {
    StringBuilder text = new StringBuilder();
    for (DaemonProcess daemon : daemons) {
      String log = daemon.log();
      text.append("log of daemon ").append(daemon.pid()).append(":\n");
      text.append(log.substring(Math.max(0, log.length() - LOG_CHARS))).append('\n');
    }
    return text.toString();
  }
}
