package io.pilotlight.agent.wire;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An exception of the function, in the shape in which AWS Lambda reports one.
 *
 * @param type the exception's class name
 * @param message its message, or null if it had none
 * @param stackTrace one line per frame, innermost first, as {@link StackTraceElement#toString()}
 *     prints it
 * @param cause its cause, or null
 */
public record Failure(
    String type, @Nullable String message, List<String> stackTrace, @Nullable Failure cause) {

  /** The type of an answer that is too large, as AWS names it. */
  public static final String RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge";

  /** How many causes are carried; a longer chain, or one that loops, is cut here. */
  private static final int MAX_CAUSES = 8;

  /** Validates. */
  public Failure {
    Objects.requireNonNull(type, "type");
    stackTrace = List.copyOf(stackTrace);
  }

  /** Describes {@code thrown} with its causes. */
  public static Failure of(Throwable thrown) {
    return of(thrown, MAX_CAUSES);
  }

  private static Failure of(Throwable thrown, int causesLeft) {
    StackTraceElement[] trace = thrown.getStackTrace();
    String[] lines = new String[trace.length];
    for (int i = 0; i < trace.length; i++) {
      lines[i] = trace[i].toString();
    }
    Throwable cause = thrown.getCause();
    return new Failure(
        thrown.getClass().getName(),
        messageOf(thrown),
        List.of(lines),
        cause == null || causesLeft == 0 ? null : of(cause, causesLeft - 1));
  }

  /** A function's exception class may itself throw when it is asked for its message. */
  private static @Nullable String messageOf(Throwable thrown) {
    try {
      return thrown.getMessage();
    } catch (RuntimeException | StackOverflowError e) {
      return "(getMessage() of "
          + thrown.getClass().getName()
          + " threw "
          + e.getClass().getName()
          + ")";
    }
  }

  /** The type and the message on one line. */
  public String summary() {
    return message == null ? type : type + ": " + message;
  }
}
