package io.pilotlight.cli.program;

import io.pilotlight.zygote.Program;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes signals to this process on to a program. By reflection, since javac warns of {@code
 * sun.misc.Signal} in a way that cannot be switched off; every JDK exports it in jdk.unsupported.
 *
 * <p>SIGQUIT stays with this JVM, and so prints its threads: HotSpot lets nobody have it.
 */
public final class SignalForwarding {
  private static final Logger LOG = LoggerFactory.getLogger(SignalForwarding.class);
  private static final List<String> NAMES =
      List.of("HUP", "INT", "TERM", "USR1", "USR2", "ALRM", "CONT", "WINCH");

  private SignalForwarding() {}

  /** From now on, until this process ends. */
  public static void start(Program program) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Method handle = signal.getMethod("handle", signal, handler);
      Method number = signal.getMethod("getNumber");
      Object forwarder =
          Proxy.newProxyInstance(
              handler.getClassLoader(), new Class<?>[] {handler}, forwarding(program, number));
      for (String name : NAMES) {
        try {
          handle.invoke(null, signal.getConstructor(String.class).newInstance(name), forwarder);
        } catch (InvocationTargetException e) {
          // The JVM keeps it for itself.
          LOG.debug("SIG{} is not passed on", name, e);
        }
      }
    } catch (ReflectiveOperationException e) {
      LOG.warn("signals are not passed on to the program on Java {}", Runtime.version(), e);
    }
  }

  private static InvocationHandler forwarding(Program program, Method number) {
    return (proxy, method, arguments) -> {
      if (!method.getName().equals("handle")) {
        return method.invoke(program, arguments);
      }
      try {
        program.signal((Integer) number.invoke(arguments[0]));
      } catch (IOException e) {
        LOG.warn("{} was not passed on to process {}", arguments[0], program.pid(), e);
      }
      return null;
    };
  }
}
