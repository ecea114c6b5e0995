package io.pilotlight.agent;

import io.pilotlight.agent.clock.Clock;
import io.pilotlight.agent.clock.SystemClock;
import io.pilotlight.agent.handler.CallFault;
import io.pilotlight.agent.handler.HostedFunction;
import io.pilotlight.agent.handler.HostingException;
import io.pilotlight.agent.handler.LoadedFunction;
import io.pilotlight.agent.handler.Reply;
import io.pilotlight.agent.identity.Renewal;
import io.pilotlight.agent.quiesce.Quiescer;
import io.pilotlight.agent.track.DescriptorOpenings;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.WireException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The main class of every zygote and clone: loads one function and serves frames.
 *
 * <p>The thread that reads the channel also runs the handler, since handing a request to another
 * thread costs more than all else that the agent does. A JVM is frozen while that thread waits in
 * {@link ControlChannel#read()}, and its clones go on from there; what they run next has to have
 * run before, or they would load classes while a request waits. {@link Rehearsal} sees to that.
 */
public final class FunctionHost {
  private static final String CONTROL_FD = "pilotlight.control.fd";
  private static final int DEFAULT_CONTROL_FD = 3;

  private final ControlChannel channel;
  private final Clock clock;
  private final Quiescer quiescer;
  private final Map<String, String> environment;
  private final Renewal renewal;
  private final OrderlyExit exit;
  private final DescriptorOpenings openings;
  private final ProcessVariables variables = ProcessVariables.find();
  private final Reply reply = new Reply();

  FunctionHost(
      ControlChannel channel,
      Clock clock,
      Quiescer quiescer,
      Map<String, String> environment,
      Renewal renewal,
      OrderlyExit exit,
      DescriptorOpenings openings) {
    this.channel = channel;
    this.clock = clock;
    this.quiescer = quiescer;
    this.environment = environment;
    this.renewal = renewal;
    this.exit = exit;
    this.openings = openings;
  }

  /** Serves the control channel until it ends; never returns. */
  public static void main(String[] arguments) throws ReflectiveOperationException {
    Thread.setDefaultUncaughtExceptionHandler(new UncaughtReporter());
    int descriptor = Integer.getInteger(CONTROL_FD, DEFAULT_CONTROL_FD);
    Clock clock = new SystemClock();
    OrderlyExit exit = OrderlyExit.find();
    FunctionHost host =
        new FunctionHost(
            ControlChannel.ofDescriptor(descriptor),
            clock,
            Quiescer.ofThisJvm(clock),
            System.getenv(),
            Premain.renewal(),
            exit,
            Premain.openings());
    end(host.serve(), exit);
  }

  // Only a stop that was asked for runs the function's shutdown hooks: they could wait for ever,
  // and nobody is left to end this process then.
  private static void end(Ending ending, OrderlyExit exit) {
    if (ending == Ending.STOPPED) {
      exit.exit(ending.status());
    }
    Runtime.getRuntime().halt(ending.status());
  }

  /** Why the host ends. */
  enum Ending {
    /** The daemon sent {@link Frame.Stop}. */
    STOPPED(0),
    /** The daemon's end of the channel is closed. */
    DAEMON_GONE(0),
    /** The function cannot be hosted, and the daemon has been told. */
    REFUSED(1),
    /** What came is no frame, or none that belongs there. */
    PROTOCOL_BROKEN(2),
    /** The agent itself failed. */
    BROKEN(3);

    private final int status;

    Ending(int status) {
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  /** Serves until the host has to end. */
  Ending serve() {
    try {
      Frame first = channel.read();
      if (first == null) {
        return Ending.DAEMON_GONE;
      }
      if (first instanceof Frame.Stop) {
        return Ending.STOPPED;
      }
      if (!(first instanceof Frame.Init init)) {
        throw new WireException(first.name() + " before Init");
      }
      return serve(load(init));
    } catch (HostingException e) {
      return refuse(e);
    } catch (WireException e) {
      System.err.println("pilotlight: control channel: " + e.getMessage());
      return Ending.PROTOCOL_BROKEN;
    } catch (IOException e) {
      // A read or write fails when the peer is gone without having closed properly.
      return Ending.DAEMON_GONE;
    } catch (Throwable e) {
      new UncaughtReporter().uncaughtException(Thread.currentThread(), e);
      return Ending.BROKEN;
    }
  }

  private Ending refuse(HostingException cause) {
    try {
      flush();
      channel.write(cause.frame());
      return Ending.REFUSED;
    } catch (IOException e) {
      return Ending.DAEMON_GONE;
    }
  }

  private LoadedFunction load(Frame.Init init) throws HostingException, IOException {
    long startNanos = clock.nanoTime();
    String processId = Long.toString(ProcessHandle.current().pid());
    HostedFunction function = new HostedFunction(init, environment, processId, clock);
    LoadedFunction loaded = LoadedFunction.load(init, function);
    flush();
    channel.write(new Frame.Ready(loaded.kind(), clock.nanoTime() - startNanos));
    return loaded;
  }

  private Ending serve(LoadedFunction function) throws IOException {
    CloneIdentity identity = new CloneIdentity(function, renewal);
    boolean called = false;
    while (true) {
      Frame frame = channel.read();
      if (frame instanceof Frame.Invoke invoke) {
        called = true;
        call(function, invoke);
      } else if (frame instanceof Frame.Renew renew) {
        renew(identity, renew.cloneId());
      } else if (frame instanceof Frame.Secrets secrets) {
        variables.put(secrets.values());
      } else if (frame instanceof Frame.AwaitCompilers) {
        channel.write(new Frame.CompilersIdle(quiescer.awaitCompilers()));
      } else if (frame instanceof Frame.Quiesce) {
        quiesce(function, identity, called);
      } else if (frame instanceof Frame.TellOpenings) {
        channel.write(new Frame.Openings(openings.describe()));
      } else if (frame instanceof Frame.Stop) {
        flush();
        return Ending.STOPPED;
      } else if (frame == null) {
        return Ending.DAEMON_GONE;
      } else {
        throw new WireException(frame.name() + " is not the daemon's to send here");
      }
    }
  }

  // Told where the function's own output goes: a clone has nobody else to tell, and serves.
  private static void renew(CloneIdentity identity, String cloneId) {
    for (String problem : identity.renew(cloneId)) {
      System.err.println("pilotlight: " + problem);
    }
  }

  private void call(LoadedFunction function, Frame.Invoke invoke) throws IOException {
    CallFault fault = invoke(function, invoke);
    // What the handler left behind is not the next call's.
    Thread.interrupted();
    flush();
    if (fault == null) {
      reply.complete(exit.hasHooks());
      channel.write(reply.frame(), reply.frameLength());
    } else {
      channel.write(
          new Frame.Fault(
              fault.kind(),
              reply.enteredNanos(),
              reply.finishedNanos(),
              exit.hasHooks(),
              fault.failure()));
    }
    reply.clear();
  }

  private @Nullable CallFault invoke(LoadedFunction function, Frame.Invoke invoke) {
    try {
      function.call(invoke, reply);
      return null;
    } catch (CallFault fault) {
      return fault;
    }
  }

  private void quiesce(LoadedFunction function, CloneIdentity identity, boolean called)
      throws IOException {
    flush();
    List<String> notes = new ArrayList<>(identity.prepare());
    notes.addAll(new Rehearsal(function, identity, variables).run());
    notes.addAll(quiescer.quiesce(called));
    channel.write(new Frame.Quiesced(notes));
  }

  private static void flush() {
    System.out.flush();
    System.err.flush();
  }
}
