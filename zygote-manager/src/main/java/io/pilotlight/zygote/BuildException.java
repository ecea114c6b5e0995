package io.pilotlight.zygote;

import io.pilotlight.agent.wire.Failure;
import org.jspecify.annotations.Nullable;

/**
 * A function could not be brought to where it was to be: a zygote, or a cold JVM that is ready to
 * serve.
 */
public final class BuildException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Whose fault it is, and so what to tell whom. */
  public enum Fault {
    /** The function's configuration: a jar, class, method, JVM flag. Trying again cannot help. */
    CONFIGURATION,
    /** The function's own code threw, exited or hung while it was initialised. */
    FUNCTION,
    /** A resource of the function threw when it was told of the freeze. */
    CHECKPOINT,
    /** It holds something that cannot be cloned: a connected socket, writable shared memory. */
    UNCLONABLE,
    /** This machine: a system call failed. */
    SYSTEM
  }

  private final Fault fault;
  private final String outputTail;
  private final transient @Nullable Failure failure;

  /**
   * As described.
   *
   * @param fault whose fault
   * @param message what failed, with which value, and what to do
   * @param outputTail the end of the JVM's output, or empty
   * @param failure the function's exception, if there was one
   * @param cause the cause in this process, if there was one
   */
  public BuildException(
      Fault fault,
      String message,
      String outputTail,
      @Nullable Failure failure,
      @Nullable Throwable cause) {
    super(message, cause);
    this.fault = fault;
    this.outputTail = outputTail;
    this.failure = failure;
  }

  /** Whose fault it is. */
  public Fault fault() {
    return fault;
  }

  /** The end of what the JVM wrote to stdout and stderr; empty if it wrote nothing. */
  public String outputTail() {
    return outputTail;
  }

  /** The function's exception, if there was one. */
  public @Nullable Failure failure() {
    return failure;
  }
}
