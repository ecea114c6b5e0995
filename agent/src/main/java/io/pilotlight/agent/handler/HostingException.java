package io.pilotlight.agent.handler;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.crac.CheckpointException;
import io.pilotlight.crac.RestoreException;
import java.util.List;

/** The function cannot be hosted, and why. */
public final class HostingException extends Exception {
  private static final long serialVersionUID = 1L;

  private final Frame.Phase phase;
  private final transient Failure failure;

  private HostingException(Frame.Phase phase, Failure failure) {
    super(failure.summary(), null, false, false);
    this.phase = phase;
    this.failure = failure;
  }

  /** A jar or layer that cannot be used; {@code type} is what Java calls that. */
  static HostingException jar(Class<? extends Throwable> type, String message) {
    return own(Frame.Phase.JARS, type, message);
  }

  /** A handler that is missing or unsuitable; {@code type} is what Java calls that. */
  static HostingException handler(Class<? extends Throwable> type, String message) {
    return own(Frame.Phase.HANDLER, type, message);
  }

  /** The function's own static initialiser or constructor threw. */
  static HostingException initialisation(Throwable thrown) {
    return new HostingException(Frame.Phase.INITIALISATION, FunctionFailure.of(thrown));
  }

  /** Resources of the function failed when they were told of the checkpoint. */
  public static HostingException checkpoint(CheckpointException thrown) {
    return new HostingException(Frame.Phase.CHECKPOINT, ofResources(thrown));
  }

  /** Resources of the function failed when they were told of the restore. */
  public static HostingException restore(RestoreException thrown) {
    return new HostingException(Frame.Phase.RESTORE, ofResources(thrown));
  }

  /** The message names them all; type, stack and causes are the first one's. */
  private static Failure ofResources(Throwable thrown) {
    Failure first = FunctionFailure.of(thrown.getSuppressed()[0]);
    return new Failure(first.type(), thrown.getMessage(), first.stackTrace(), first.cause());
  }

  private static HostingException own(
      Frame.Phase phase, Class<? extends Throwable> type, String message) {
    return new HostingException(phase, new Failure(type.getName(), message, List.of(), null));
  }

  /** The frame that tells the daemon. */
  public Frame.Failed frame() {
    return new Frame.Failed(phase, failure);
  }
}
