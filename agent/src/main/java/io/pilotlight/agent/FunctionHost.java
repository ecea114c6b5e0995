package io.pilotlight.agent;

import io.pilotlight.agent.clock.Clock;
import io.pilotlight.agent.clock.SystemClock;
import io.pilotlight.agent.crac.Checkpoint;
import io.pilotlight.agent.crac.CompatibilityPackage;
import io.pilotlight.agent.handler.CallFault;
import io.pilotlight.agent.handler.FunctionLoader;
import io.pilotlight.agent.handler.HostedFunction;
import io.pilotlight.agent.handler.HostingException;
import io.pilotlight.agent.handler.LoadedFunction;
import io.pilotlight.agent.handler.Reply;
import io.pilotlight.agent.identity.Renewal;
import io.pilotlight.agent.quiesce.Quiescer;
import io.pilotlight.agent.track.DescriptorOpenings;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.WireException;
import io.pilotlight.crac.CheckpointException;
import io.pilotlight.crac.Core;
import io.pilotlight.crac.RestoreException;
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

  /** So many calls have something compiled; after fewer there is nothing to wait for. */
  private static final int WARMING_CALLS = 100;

  private final ControlChannel channel;
  private final Clock clock;
  private final Quiescer quiescer;
  private final Map<String, String> environment;
  private final Renewal renewal;
  private final CompatibilityPackage crac;
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
      CompatibilityPackage crac,
      OrderlyExit exit,
      DescriptorOpenings openings) {
    this.channel = channel;
    this.clock = clock;
    this.quiescer = quiescer;
    this.environment = environment;
    this.renewal = renewal;
    this.crac = crac;
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
            Premain.crac(),
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
      return new Session(init).serve();
    } catch (HostingException e) {
      return refuse(e);
    } catch (WireException e) {
      return broken(e);
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

  private static Ending broken(WireException cause) {
    System.err.println("pilotlight: control channel: " + cause.getMessage());
    return Ending.PROTOCOL_BROKEN;
  }

  private static void flush() {
    System.out.flush();
    System.err.flush();
  }

  /** What there is once the function is known. */
  private final class Session {
    private final long startNanos = clock.nanoTime();
    private final Frame.Init init;
    private final FunctionLoader loader;
    private final HostedFunction hosted;
    private final CloneIdentity identity;
    private final Checkpoint checkpoint;
    private final Rehearsal rehearsal;
    private int calls;
    private @Nullable Object handler;

    /** Read in a clone while its zygote's call of the function had not come to its end yet. */
    private Frame.@Nullable Invoke pending;

    Session(Frame.Init init) throws HostingException {
      this.init = init;
      loader = FunctionLoader.open(init.jars(), init.layers());
      String processId = Long.toString(ProcessHandle.current().pid());
      hosted = new HostedFunction(init, environment, processId, clock);
      identity = new CloneIdentity(hosted, loader, renewal);
      checkpoint = new Checkpoint(Core.context(), init.zygote(), this::freezeInside);
      rehearsal = new Rehearsal(identity, variables);
      Core.serve(checkpoint);
    }

    Ending serve() throws HostingException, IOException {
      LoadedFunction function = LoadedFunction.load(init, hosted, loader);
      handler = function.instance();
      checkpoint.initialised();
      if (pending == null) {
        flush();
        channel.write(new Frame.Ready(function.kind(), clock.nanoTime() - startNanos));
      }
      while (true) {
        Frame frame = next();
        if (frame instanceof Frame.Invoke invoke) {
          invoke(function, invoke);
        } else {
          if (frame instanceof Frame.Quiesce) {
            function.settle();
          }
          Ending ending = obey(frame);
          if (ending != null) {
            return ending;
          }
        }
      }
    }

    private @Nullable Frame next() throws IOException {
      Frame.Invoke first = pending;
      pending = null;
      return first == null ? channel.read() : first;
    }

    /** Everything that needs no function; an ending if there is nothing more to do. */
    private @Nullable Ending obey(@Nullable Frame frame) throws HostingException, IOException {
      if (frame instanceof Frame.Renew renew) {
        renew(renew.cloneId());
      } else if (frame instanceof Frame.Secrets secrets) {
        variables.put(secrets.values());
      } else if (frame instanceof Frame.AwaitCompilers) {
        // What they have to tell is told by the last wait, when the JVM is quiesced.
        quiescer.awaitCompilers();
        channel.write(new Frame.CompilersIdle(quiescer.latestCompilation()));
      } else if (frame instanceof Frame.Quiesce) {
        channel.write(
            new Frame.Quiesced(
                checkpoint.concernsTheFunction()
                    ? quiescer.awaitCompilers()
                    : quiesce(calls >= WARMING_CALLS)));
      } else if (frame instanceof Frame.Checkpoint) {
        channel.write(new Frame.Checkpointed(checkpoint()));
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
      return null;
    }

    // Told where the function's own output goes: a clone has nobody else to tell, and serves.
    private void renew(String cloneId) {
      checkpoint.renewed();
      for (String problem : identity.renew(cloneId)) {
        System.err.println("pilotlight: " + problem);
      }
    }

    private List<String> quiesce(boolean warmed) throws IOException {
      flush();
      List<String> notes = new ArrayList<>(identity.prepare(handler));
      notes.addAll(rehearsal.run());
      notes.addAll(quiescer.quiesce(warmed));
      return notes;
    }

    private List<String> checkpoint() throws HostingException, IOException {
      boolean quiet = !checkpoint.concernsTheFunction();
      try {
        checkpoint.make();
      } catch (CheckpointException e) {
        throw HostingException.checkpoint(e);
      }
      // What a resource left behind is not the clones'.
      Thread.interrupted();
      List<String> notes = new ArrayList<>(crac.notes());
      if (!quiet) {
        notes.addAll(quiesce(true)); // functions warm themselves in beforeCheckpoint
      }
      return notes;
    }

    private void invoke(LoadedFunction function, Frame.Invoke invoke)
        throws HostingException, IOException {
      try {
        checkpoint.restoreIfPending();
      } catch (RestoreException e) {
        throw HostingException.restore(e);
      }
      if (checkpoint.makeIfAwaited()) {
        channel.write(new Frame.CheckpointRequested());
        return;
      }
      calls++;
      CallFault fault = call(function, invoke);
      // What the handler left behind is not the next call's.
      Thread.interrupted();
      flush();
      // The clones of a call that asked for its checkpoint are there for other calls.
      if (pending == null) {
        answer(fault);
      }
      reply.clear();
    }

    private @Nullable CallFault call(LoadedFunction function, Frame.Invoke invoke) {
      try {
        function.call(invoke, reply);
        return null;
      } catch (CallFault fault) {
        return fault;
      }
    }

    private void answer(@Nullable CallFault fault) throws IOException {
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
    }

    /** Asks to be frozen from deep inside the function's code, where only the JVM can be ended. */
    private void freezeInside() {
      try {
        flush();
        channel.write(new Frame.CheckpointRequested());
        for (Frame frame = channel.read(); true; frame = channel.read()) {
          if (frame instanceof Frame.Invoke invoke) {
            pending = invoke;
            return;
          }
          Ending ending = obey(frame);
          if (ending != null) {
            end(ending, exit);
          }
        }
      } catch (HostingException e) {
        end(refuse(e), exit);
      } catch (WireException e) {
        end(broken(e), exit);
      } catch (IOException e) {
        end(Ending.DAEMON_GONE, exit);
      }
    }
  }
}
