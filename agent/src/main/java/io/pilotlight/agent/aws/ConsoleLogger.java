package io.pilotlight.agent.aws;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Writes to {@code System.out}, adding nothing but the level. {@link LogLevel} is missing in old
 * copies of the interfaces, so it is touched only by the methods that such copies lack too.
 */
final class ConsoleLogger implements LambdaLogger {
  @Override
  public void log(@Nullable String message) {
    log(String.valueOf(message).getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void log(byte @Nullable [] message) {
    PrintStream out = System.out;
    byte[] bytes = message == null ? new byte[] {'n', 'u', 'l', 'l'} : message;
    out.write(bytes, 0, bytes.length);
  }

  @Override
  public void log(@Nullable String message, LogLevel level) {
    String name = String.valueOf(level);
    log(name.equals("UNDEFINED") ? message : "[" + name + "] " + message);
  }

  @Override
  public void log(byte @Nullable [] message, LogLevel level) {
    log(message);
  }
}
