package io.pilotlight.agent.handler;

import java.io.InputStream;
import java.io.OutputStream;

/** A handler that reads the payload and writes the answer itself. */
@FunctionalInterface
public interface StreamTarget {
  /** Calls the handler; lets whatever it throws pass. */
  void handle(InputStream input, OutputStream output, Call call) throws Throwable;
}
