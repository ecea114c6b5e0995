package io.pilotlight.agent;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Says on stderr which of the function's threads died of what. */
final class UncaughtReporter implements Thread.UncaughtExceptionHandler {
  @Override
  public void uncaughtException(Thread thread, Throwable thrown) {
    StringWriter text = new StringWriter();
    text.append("Uncaught in thread ").append(thread.getName()).append(": ");
    thrown.printStackTrace(new PrintWriter(text, true));
    // In one piece: other threads write to the same stream.
    System.err.print(text);
    System.err.flush();
  }
}
