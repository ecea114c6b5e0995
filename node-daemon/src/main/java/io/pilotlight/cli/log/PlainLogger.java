package io.pilotlight.cli.log;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** Writes warnings and errors to stderr. Thread-safe. */
final class PlainLogger extends LegacyAbstractLogger {
  private static final long serialVersionUID = 1L;

  PlainLogger(String name) {
    this.name = name;
  }

  @Override
  protected void handleNormalizedLoggingCall(
      Level level,
      @Nullable Marker marker,
      String pattern,
      Object @Nullable [] arguments,
      @Nullable Throwable cause) {
    String message = String.valueOf(MessageFormatter.basicArrayFormat(pattern, arguments));
    System.err.print(line(OffsetDateTime.now(ZoneId.systemDefault()), level, message, cause));
  }

  /** One line, and the stack trace if there is one. */
  String line(OffsetDateTime time, Level level, String message, @Nullable Throwable cause) {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    out.printf(
        Locale.ROOT,
        "%s %-5s %s: %s%n",
        DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", Locale.ROOT).format(time),
        level,
        name.substring(name.lastIndexOf('.') + 1),
        Pattern.compile("[\r\n]+").matcher(message).replaceAll(" | "));
    if (cause != null) {
      cause.printStackTrace(out);
    }
    return text.toString();
  }

  @Override
  protected @Nullable String getFullyQualifiedCallerName() {
    return null;
  }

  @Override
  public boolean isTraceEnabled() {
    return false;
  }

  @Override
  public boolean isDebugEnabled() {
    return false;
  }

  @Override
  public boolean isInfoEnabled() {
    return false;
  }

  @Override
  public boolean isWarnEnabled() {
    return true;
  }

  @Override
  public boolean isErrorEnabled() {
    return true;
  }
}
