package io.pilotlight.agent.wire;

import java.io.IOException;

/** The peer sent bytes that are not a frame. The channel cannot be used any more. */
public final class WireException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Names what is wrong, and with which value. */
  public WireException(String message) {
    super(message);
  }
}
