package io.pilotlight.agent;

import io.pilotlight.agent.clock.SystemClock;
import io.pilotlight.agent.crac.CompatibilityPackage;
import io.pilotlight.agent.identity.Renewal;
import io.pilotlight.agent.quiesce.Quiescer;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.FrameCodec;
import io.pilotlight.agent.wire.WireException;
import io.pilotlight.crac.CheckpointException;
import io.pilotlight.crac.Core;
import io.pilotlight.crac.GlobalContext;
import io.pilotlight.crac.Requests;
import io.pilotlight.crac.RestoreException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * In any program that runs under {@code pilotlight run}: makes its checkpoints, asked for by the
 * program itself or from outside.
 *
 * <p>One thread does nothing but read the control channel; the process is frozen while it does. The
 * checkpoint is made on another: the one that called {@code Core.checkpointRestore()}, or one that
 * is started for a request from outside. That thread tells the resources, makes the JVM quiet, says
 * so, and waits. What it waits for comes to the reading thread: here, if the program goes on or
 * there is no image, or in a restored process. There the reading thread renews what must differ
 * between processes of one image, before it lets the other go on.
 */
final class ProgramHost implements Requests {
  private static final String CONTROL_FD = "pilotlight.control.fd";

  /** As of a process that was told to end. */
  private static final int TERMINATED = 143;

  private final ControlChannel channel;
  private final GlobalContext context;
  private final Quiescer quiescer;
  private final Renewal renewal;
  private final CompatibilityPackage crac;
  private final ProcessVariables variables = ProcessVariables.find();

  /** Whether a checkpoint is being made, from its request until resources know its outcome. */
  private boolean inProgress;

  /** What has come of it: {@link Frame.Resumed} or {@link Frame.Failed}. */
  private @Nullable Frame outcome;

  private ProgramHost(
      ControlChannel channel,
      GlobalContext context,
      Quiescer quiescer,
      Renewal renewal,
      CompatibilityPackage crac) {
    this.channel = channel;
    this.context = context;
    this.quiescer = quiescer;
    this.renewal = renewal;
    this.crac = crac;
  }

  /** Starts the thread that reads the channel, which never keeps the program from its end. */
  static void start(Renewal renewal, CompatibilityPackage crac) {
    int descriptor = Integer.getInteger(CONTROL_FD, 3);
    try {
      ProgramHost host =
          new ProgramHost(
              ControlChannel.ofDescriptor(descriptor),
              Core.context(),
              Quiescer.ofThisJvm(new SystemClock()),
              renewal,
              crac);
      Core.serve(host);
      Thread reader = new Thread(host::read, "pilotlight-agent");
      reader.setDaemon(true);
      reader.start();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(
          "java.io is not open to Pilotlight's agent on Java " + Runtime.version(), e);
    }
  }

  private void read() {
    try {
      for (Frame frame = channel.read(); frame != null; frame = channel.read()) {
        obey(frame);
      }
      // Whoever ran this program is gone: nobody would see its end, nor pass signals on to it.
      OrderlyExit.find().exit(TERMINATED);
    } catch (IOException e) {
      System.err.println("pilotlight: control channel: " + e.getMessage());
      OrderlyExit.find().exit(TERMINATED);
    }
  }

  private void obey(Frame frame) throws IOException {
    if (frame instanceof Frame.Checkpoint) {
      asked();
    } else if (frame instanceof Frame.Resumed resumed) {
      if (resumed.restored()) {
        renew(resumed);
      }
      finish(resumed);
    } else if (frame instanceof Frame.Failed) {
      finish(frame);
    } else {
      throw new WireException(frame.name() + " is not for a program");
    }
  }

  private synchronized void finish(Frame result) {
    outcome = result;
    notifyAll();
  }

  /** Before anything of the program runs that waits for this; other threads of it may run. */
  private void renew(Frame.Resumed resumed) {
    for (String problem : renewal.renew()) {
      System.err.println("pilotlight: " + problem);
    }
    try {
      variables.replace(resumed.environment());
    } catch (IllegalStateException e) {
      System.err.println("pilotlight: " + e.getMessage());
    }
    resumed.properties().forEach(System::setProperty);
  }

  // --- asked for from outside ------------------------------------------------------------------

  private void asked() throws IOException {
    try {
      begin();
    } catch (CheckpointException e) {
      write(refusal(e));
      return;
    }
    // Not a daemon: it may be the only one that is left for a new main.
    Thread thread = new Thread(this::makeAsAsked, "pilotlight-checkpoint");
    thread.setDaemon(false);
    thread.start();
  }

  private void makeAsAsked() {
    try {
      make(new Frame.Checkpointed(crac.notes()));
    } catch (Refused e) {
      // Who asked knows already: from him it came.
      return;
    } catch (CheckpointException e) {
      try {
        write(refusal(e));
      } catch (IOException gone) {
        e.addSuppressed(gone);
        report(e);
      }
    } catch (RestoreException e) {
      // The program goes on, as with CRaC, and nobody else can be told.
      report(e);
    }
  }

  private static void report(Exception failure) {
    new UncaughtReporter().uncaughtException(Thread.currentThread(), failure);
  }

  private static Frame refusal(CheckpointException e) {
    Throwable[] causes = e.getSuppressed();
    return new Frame.Failed(Frame.Phase.CHECKPOINT, Failure.of(causes.length == 1 ? causes[0] : e));
  }

  // --- by the program itself -------------------------------------------------------------------

  @Override
  public void checkpointRestore() throws CheckpointException, RestoreException {
    begin();
    make(new Frame.CheckpointRequested());
  }

  private synchronized void begin() throws CheckpointException {
    if (inProgress) {
      throw because(new IllegalStateException("a checkpoint is in progress already"));
    }
    inProgress = true;
  }

  private synchronized void end() {
    inProgress = false;
  }

  private static CheckpointException because(Exception cause) {
    CheckpointException failed = new CheckpointException(String.valueOf(cause.getMessage()));
    // Of an implementation's exception org.crac passes on what is suppressed, and nothing else.
    failed.addSuppressed(cause);
    return failed;
  }

  /** There is no image, and whoever asked from outside has said so. */
  private static final class Refused extends CheckpointException {
    private static final long serialVersionUID = 1L;

    Refused(String reason) {
      super(reason);
      addSuppressed(new IOException(reason));
    }
  }

  private void make(Frame announcement) throws CheckpointException, RestoreException {
    try {
      Frame.Resumed resumed;
      try {
        context.beforeCheckpoint(null);
        resumed = freeze(announcement);
      } catch (CheckpointException e) {
        context.abandon(e);
        throw e;
      }
      context.afterRestore(null);
      runMain(resumed.arguments());
    } finally {
      end();
    }
  }

  /** Returns in the restored process, or here if the program goes on. */
  private Frame.Resumed freeze(Frame announcement) throws CheckpointException {
    quiesce();
    synchronized (this) {
      outcome = null;
    }
    try {
      write(announcement);
    } catch (IOException e) {
      throw because(new IOException("'pilotlight run' cannot be reached: " + e.getMessage(), e));
    }
    Frame result = await();
    if (result instanceof Frame.Failed failed) {
      throw new Refused(String.valueOf(failed.failure().message()));
    }
    return (Frame.Resumed) result;
  }

  private synchronized Frame await() {
    boolean interrupted = false;
    while (outcome == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return outcome;
  }

  private void quiesce() {
    System.out.flush();
    System.err.flush();
    // What cannot be renewed of a program's own is not told: it had to do so on a JDK with CRaC
    // too.
    renewal.prepare(ClassLoader.getSystemClassLoader(), null);
    rehearse();
    quiescer.quiesce(false);
  }

  /** What a restored process does first is not to load a class there. */
  private void rehearse() {
    renewal.renew();
    Frame.Resumed frame =
        new Frame.Resumed(true, System.getenv(), Map.of("", ""), List.of("rehearsal"));
    ByteBuffer bytes = FrameCodec.encode(frame);
    try {
      byte type = bytes.get(Integer.BYTES);
      FrameCodec.decode(type, bytes.position(FrameCodec.HEADER_BYTES));
      variables.replace(System.getenv());
    } catch (WireException | IllegalStateException e) {
      // It will be told where it matters.
      return;
    }
  }

  private void write(Frame frame) throws IOException {
    synchronized (channel) {
      channel.write(frame);
    }
  }

  /** As CRaC does: on the thread that asked, after resources are restored and before it goes on. */
  private static void runMain(List<String> arguments) throws RestoreException {
    if (arguments.isEmpty()) {
      return;
    }
    Throwable failure;
    try {
      Class<?> type = Class.forName(arguments.get(0), false, ClassLoader.getSystemClassLoader());
      Method main = type.getDeclaredMethod("main", String[].class);
      main.setAccessible(true);
      List<String> rest = new ArrayList<>(arguments.subList(1, arguments.size()));
      main.invoke(null, (Object) rest.toArray(new String[0]));
      return;
    } catch (InvocationTargetException e) {
      failure = e.getCause() == null ? e : e.getCause();
    } catch (ReflectiveOperationException | RuntimeException e) {
      failure = e;
    }
    RestoreException failed = new RestoreException("main of " + arguments.get(0) + ": " + failure);
    failed.addSuppressed(failure);
    throw failed;
  }
}
