package io.pilotlight.agent.quiesce;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/**
 * HotSpot's diagnostic commands, called in process. {@code jcmd} would do the same by attaching,
 * which leaves a listening socket and a thread behind in the zygote and so in all its clones.
 */
interface DiagnosticCommands {
  /**
   * Runs one command and gives its output.
   *
   * @throws UnavailableException if this JVM does not have it
   */
  String run(String command) throws UnavailableException;

  /** A command cannot be run, and why. */
  final class UnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnavailableException(String message) {
      super(message);
    }
  }

  /** By the JDK's own implementation, which has to be open to the agent. */
  final class InProcess implements DiagnosticCommands {
    private static final String PACKAGE = "com.sun.management.internal.";

    @Override
    public String run(String command) throws UnavailableException {
      try {
        // Its initialiser loads the library in which the command's native method is.
        Class.forName(PACKAGE + "PlatformMBeanProviderImpl");
        Class<?> type = Class.forName(PACKAGE + "DiagnosticCommandImpl");
        Method instance = type.getDeclaredMethod("getDiagnosticCommandMBean");
        instance.setAccessible(true);
        Method execute = type.getDeclaredMethod("executeDiagnosticCommand", String.class);
        execute.setAccessible(true);
        return String.valueOf(execute.invoke(instance.invoke(null), command));
      } catch (InvocationTargetException e) {
        throw new UnavailableException(command + ": " + e.getCause());
      } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
        throw new UnavailableException(command + ": " + e);
      }
    }
  }
}
