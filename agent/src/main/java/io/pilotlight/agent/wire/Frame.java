package io.pilotlight.agent.wire;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One message on the control channel. See {@link FrameCodec} for the bytes.
 *
 * <p>The order is: {@link Init}, answered by {@link Ready} or {@link Failed}; then any number of
 * {@link Invoke}, each answered by {@link Result} or {@link Fault} (in a JVM that is to become a
 * zygote these are its warm-up, and {@link AwaitCompilers} may come between them); then {@link
 * Quiesce}, answered by {@link Quiesced}, and a few more calls; then {@link Checkpoint}, answered
 * by {@link Checkpointed}, after which the agent does nothing but read, and the JVM is frozen. A
 * clone reads {@link Renew} and then {@link Invoke} frames until {@link Stop} or the end of the
 * stream.
 *
 * <p>A function that asks for its checkpoint itself is answered for by {@link CheckpointRequested},
 * in the place of {@link Ready}, {@link Result} or {@link Fault}; {@link Checkpoint} has to follow.
 * In its clones the handler may not be constructed yet, so that they answer the first {@link
 * Invoke} by {@link Failed} if it cannot be.
 *
 * <p>A program that is no function sends {@link CheckpointRequested} when it asks for a checkpoint,
 * and answers {@link Checkpoint} by {@link Checkpointed} or {@link Failed}. Both ways it then gets
 * {@link Resumed}, where it was or restored, or {@link Failed} if there is no image.
 */
// Payloads are arrays: frames are never compared, and a copy of each payload would cost on every
// call.
@SuppressWarnings("ArrayRecordComponent")
public sealed interface Frame {

  /**
   * The function that this JVM is to host. Environment and system properties are not here: they are
   * the process's own from its start.
   *
   * @param function the function's name
   * @param version its version, as {@code Context.getFunctionVersion()} gives it
   * @param handler {@code package.Class} or {@code package.Class::method}
   * @param jars paths of the function's jars, in class path order
   * @param layers paths of its layers' jars, searched after the jars
   * @param memoryMib as {@code Context.getMemoryLimitInMB()} gives it
   * @param zygote whether this JVM is to be frozen
   */
  record Init(
      String function,
      String version,
      String handler,
      List<String> jars,
      List<String> layers,
      int memoryMib,
      boolean zygote)
      implements Frame {
    /** Copies the lists. */
    public Init {
      jars = List.copyOf(jars);
      layers = List.copyOf(layers);
    }
  }

  /**
   * The handler is loaded and constructed.
   *
   * @param handlerKind what it was recognised as, for people: {@code RequestHandler}, {@code
   *     RequestStreamHandler}, {@code Function}, {@code static method}
   * @param initNanos how long loading and constructing took
   */
  record Ready(String handlerKind, long initNanos) implements Frame {}

  /**
   * The function cannot be hosted; the agent ends its JVM after this frame.
   *
   * @param phase what was being done
   * @param failure the cause; its message names the jar, class or method at fault
   */
  record Failed(Phase phase, Failure failure) implements Frame {}

  /** What the agent was doing when a function could not be hosted. */
  enum Phase {
    /** Opening the function's jars and layers. */
    JARS,
    /** Finding the handler's class and method. */
    HANDLER,
    /** Running the function's own static initialisers and constructor. */
    INITIALISATION,
    /** Telling the function's resources of the checkpoint. */
    CHECKPOINT,
    /** Telling them of the restore, in a clone; its request was not handled. */
    RESTORE
  }

  /**
   * Call the handler once.
   *
   * @param requestId as {@code Context.getAwsRequestId()} gives it
   * @param deadlineEpochMillis wall-clock time at which the caller gives up; for the remaining time
   * @param attributes what an adapter passes on: see the constants of {@link InvokeAttributes}
   * @param payload the event, as it came
   */
  record Invoke(
      String requestId, long deadlineEpochMillis, Map<String, String> attributes, byte[] payload)
      implements Frame {
    /** Copies the attributes. */
    public Invoke {
      attributes = Map.copyOf(attributes);
    }
  }

  /**
   * The handler returned.
   *
   * @param enteredNanos {@link System#nanoTime()} (CLOCK_MONOTONIC: comparable across processes of
   *     one time namespace) just before the handler was called
   * @param finishedNanos the same, just after it returned
   * @param hooks whether shutdown hooks would run now if the JVM were to end in order
   * @param payload its answer
   */
  record Result(long enteredNanos, long finishedNanos, boolean hooks, byte[] payload)
      implements Frame {}

  /**
   * The call failed in the function, or its input could not be bound.
   *
   * @param kind whose fault it is
   * @param enteredNanos as in {@link Result}; 0 if the handler was not entered
   * @param finishedNanos as in {@link Result}; 0 if the handler was not entered
   * @param hooks as in {@link Result}
   * @param failure the cause
   */
  record Fault(
      FaultKind kind, long enteredNanos, long finishedNanos, boolean hooks, Failure failure)
      implements Frame {}

  /** Whose fault a failed call is. */
  enum FaultKind {
    /** The payload is not JSON, or not of the shape that the handler's input type asks for. */
    INPUT,
    /** The handler threw. */
    HANDLER,
    /** The handler's answer cannot be written as JSON, or is too large for a frame. */
    OUTPUT
  }

  /** Let the compilers finish what the calls so far have given them to do. */
  record AwaitCompilers() implements Frame {}

  /**
   * They have.
   *
   * @param latest number of the latest compilation, by which others are known to follow; 0 if that
   *     cannot be told
   */
  record CompilersIdle(int latest) implements Frame {}

  /**
   * Become quiet: collect garbage, give memory back, let the compiler's queue drain, flush what is
   * buffered.
   */
  record Quiesce() implements Frame {}

  /**
   * Quiet. If resources of the function are to be told of the freeze, only the compilers were
   * waited for: the rest follows when they have been told.
   *
   * @param notes what could not be done, for people; empty when everything was
   */
  record Quiesced(List<String> notes) implements Frame {
    /** Copies the list. */
    public Quiesced {
      notes = List.copyOf(notes);
    }
  }

  /** Tell the function's resources of the checkpoint, if there are any, and become quiet again. */
  record Checkpoint() implements Frame {}

  /**
   * Told and quiet; from here on the agent's thread blocks in a read of the control channel.
   *
   * @param notes as for {@link Quiesced}
   */
  record Checkpointed(List<String> notes) implements Frame {
    /** Copies the list. */
    public Checkpointed {
      notes = List.copyOf(notes);
    }
  }

  /** The function wants to be frozen now, and its resources have been told. */
  record CheckpointRequested() implements Frame {}

  /**
   * The checkpoint that a program has asked for, or was asked for, was made. It is sent to the
   * program that goes on, or to one that was restored from the image.
   *
   * @param restored whether this is a restored one: what follows is only for that
   * @param environment all variables of its environment
   * @param properties system properties that it gets
   * @param arguments a class whose {@code main} it is to run, and the arguments of that; or empty
   */
  record Resumed(
      boolean restored,
      Map<String, String> environment,
      Map<String, String> properties,
      List<String> arguments)
      implements Frame {
    /** Copies them. */
    public Resumed {
      environment = Map.copyOf(environment);
      properties = Map.copyOf(properties);
      arguments = List.copyOf(arguments);
    }

    /** Names only: this text may get into a log. */
    @Override
    public String toString() {
      return "Resumed" + environment.keySet();
    }
  }

  /**
   * The first frame in a clone: what must differ from its zygote before user code runs.
   *
   * @param cloneId the clone's name
   */
  record Renew(String cloneId) implements Frame {}

  /**
   * Environment variables that no zygote may hold: sent to a clone or a cold JVM ahead of its first
   * invocation.
   *
   * @param values by name
   */
  record Secrets(Map<String, String> values) implements Frame {
    /** Copies the map. */
    public Secrets {
      values = Map.copyOf(values);
    }

    /** Names only: this text may get into a log. */
    @Override
    public String toString() {
      return "Secrets" + values.keySet();
    }
  }

  /** Tell where descriptors were opened; sent only to a JVM that keeps account of it. */
  record TellOpenings() implements Frame {}

  /**
   * Where descriptors were opened.
   *
   * @param stacks thread and stack, as text, by the descriptor's number
   */
  record Openings(Map<String, String> stacks) implements Frame {
    /** Copies the map. */
    public Openings {
      stacks = Map.copyOf(stacks);
    }
  }

  /** End this JVM with status 0, after its shutdown hooks. */
  record Stop() implements Frame {}

  /**
   * Written by the resident routine, not by Java: a clone could not become itself and has ended.
   *
   * @param step index of the operation that failed
   * @param errno the kernel's error number
   */
  record StepFailed(int step, int errno) implements Frame {}

  /** A convenience for messages: the class's simple name. */
  default String name() {
    return getClass().getSimpleName();
  }

  /** Names of {@link Invoke#attributes()}. */
  final class InvokeAttributes {
    /** The Lambda client context: JSON text, already decoded from base64. */
    public static final String CLIENT_CONTEXT = "client-context";

    /** The Lambda function ARN under which it was called. */
    public static final String INVOKED_FUNCTION_ARN = "invoked-function-arn";

    private InvokeAttributes() {}
  }

  /** The failure of a frame that carries one, else null. */
  default @Nullable Failure failureOrNull() {
    if (this instanceof Failed failed) {
      return failed.failure();
    }
    return this instanceof Fault fault ? fault.failure() : null;
  }
}
