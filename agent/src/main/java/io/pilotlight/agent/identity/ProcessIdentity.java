package io.pilotlight.agent.identity;

import java.io.File;
import java.lang.reflect.Field;
import java.lang.reflect.Method;

/**
 * What {@code ProcessHandle.current()} knows of this process. {@code RuntimeMXBean} asks the kernel
 * each time and needs no renewal.
 */
final class ProcessIdentity implements Renewer {
  /**
   * Where HotSpot listens for jcmd, but for the pid: always in /tmp (os_linux.cpp). The first is
   * removed if the pid is the same as before, the second if it is another: a file that is never
   * there, and what a killed JVM of that number has left.
   */
  private static final String[] ATTACH_SOCKETS = {"/tmp/.java_pid-", "/tmp/.java_pid"};

  private final ProcessHandle current = ProcessHandle.current();
  private final Field pid;
  private final Field startTime;
  private final Method currentPid;
  private final Method startTimeOf;

  /**
   * In java/lang/ProcessHandleImpl.java: {@code pid} and {@code startTime} of the one object for
   * this process; {@code getCurrentPid0()}, which is {@code getpid}; {@code isAlive0(long)}, which
   * gives the start time that {@code isAlive()} compares with.
   */
  ProcessIdentity(JdkState jdk) throws ReflectiveOperationException {
    Class<?> type = current.getClass();
    pid = jdk.field(type, "pid");
    startTime = jdk.field(type, "startTime");
    currentPid = jdk.method(type, "getCurrentPid0");
    startTimeOf = jdk.method(type, "isAlive0", long.class);
  }

  @Override
  public String subject() {
    return "ProcessHandle.current()";
  }

  @Override
  public void renew(Entropy entropy) throws Exception {
    Object own = JdkState.call(currentPid, null);
    if (!(own instanceof Long number)) {
      return;
    }
    // A JVM that starts removes what a killed one of its number has left (attachListener_posix.cpp,
    // vm_start), or jcmd would connect to nobody. In the zygote this only rehearses. Without a
    // branch: compiled code in which only the zygote's has ever been taken is thrown away by each
    // clone, on the way of its request.
    int changed = Math.abs(Long.signum(pid.getLong(current) ^ number));
    var unused = new File(ATTACH_SOCKETS[changed] + number).delete();
    // Also where it is the same, in the zygote: what runs first in a clone is not compiled.
    pid.setLong(current, number);
    if (JdkState.call(startTimeOf, null, number) instanceof Long started) {
      startTime.setLong(current, started);
    }
  }
}
