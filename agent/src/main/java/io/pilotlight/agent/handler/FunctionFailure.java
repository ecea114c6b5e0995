package io.pilotlight.agent.handler;

import io.pilotlight.agent.wire.Failure;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Describes an exception of a function as its author wants to see it: without the agent's frames,
 * without the name of the function's class loader before each line, and short enough for a frame.
 */
public final class FunctionFailure {
  private static final String AGENT_PREFIX = "io.pilotlight.agent.";
  private static final String SHADED_PREFIX = AGENT_PREFIX + "shaded.";
  private static final int MAX_CAUSES = 8;
  private static final int MAX_MESSAGE_CHARS = 64 << 10;
  private static final int MAX_LINES = 1024;
  private static final int MAX_LINE_CHARS = 1024;

  private FunctionFailure() {}

  /** Describes {@code thrown}; never throws for anything that the function's class does. */
  public static Failure of(Throwable thrown) {
    return of(thrown, MAX_CAUSES);
  }

  // Everything asked of the exception here is a method that its class may have overridden.
  private static Failure of(Throwable thrown, int causesLeft) {
    String type = typeOf(thrown);
    try {
      Throwable cause = thrown.getCause();
      return new Failure(
          type,
          message(thrown.getMessage()),
          lines(thrown.getStackTrace()),
          cause == null || cause == thrown || causesLeft == 0 ? null : of(cause, causesLeft - 1));
    } catch (Exception | StackOverflowError e) {
      return new Failure(type, "(its description threw " + typeOf(e) + ")", List.of(), null);
    }
  }

  /** The class's name, as it is outside of the agent's jar. */
  static String typeOf(Throwable thrown) {
    String name = thrown.getClass().getName();
    return name.startsWith(SHADED_PREFIX) ? name.substring(SHADED_PREFIX.length()) : name;
  }

  private static @Nullable String message(@Nullable String text) {
    return text == null ? null : shortened(text.replace(SHADED_PREFIX, ""), MAX_MESSAGE_CHARS);
  }

  private static String shortened(String text, int maxChars) {
    return text.length() <= maxChars ? text : text.substring(0, maxChars) + "...";
  }

  private static List<String> lines(StackTraceElement[] trace) {
    int end = Math.min(functionFrames(trace), MAX_LINES);
    List<String> lines = new ArrayList<>(end);
    for (int i = 0; i < end; i++) {
      StackTraceElement e = trace[i];
      StackTraceElement unnamed =
          new StackTraceElement(
              null,
              e.getModuleName(),
              e.getModuleVersion(),
              e.getClassName(),
              e.getMethodName(),
              e.getFileName(),
              e.getLineNumber());
      lines.add(shortened(unnamed.toString(), MAX_LINE_CHARS));
    }
    return lines;
  }

  /**
   * How many of the frames, from the innermost, come before the agent's that called the function.
   * An agent's frame that the function called, by its {@code Context} or its stream, is kept.
   */
  private static int functionFrames(StackTraceElement[] trace) {
    int firstAgent = trace.length;
    int end = trace.length;
    boolean inFunction = false;
    for (int i = 0; i < end; i++) {
      if (isAgent(trace[i])) {
        firstAgent = Math.min(firstAgent, i);
        end = inFunction ? i : end;
      } else {
        inFunction |= trace[i].getModuleName() == null;
      }
    }
    end = inFunction ? end : firstAgent;
    while (end > 0 && isReflection(trace[end - 1])) {
      end--;
    }
    return end;
  }

  private static boolean isAgent(StackTraceElement frame) {
    return frame.getClassName().startsWith(AGENT_PREFIX);
  }

  private static boolean isReflection(StackTraceElement frame) {
    String name = frame.getClassName();
    return name.startsWith("java.lang.invoke.")
        || name.startsWith("java.lang.reflect.")
        || name.startsWith("jdk.internal.reflect.")
        || name.equals("java.lang.Class");
  }
}
