package io.pilotlight.daemon.http;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The function that a Lambda client names: by name, partial ARN or full ARN, each with or without a
 * qualifier.
 *
 * @param name the function's name
 * @param qualifier a version or {@value #LATEST}; null if none was given
 * @param arn as the function is told under which it was invoked
 */
record LambdaFunctionName(String name, @Nullable String qualifier, String arn) {
  static final String LATEST = "$LATEST";

  private static final String DEFAULT_PREFIX = "arn:aws:lambda:us-east-1:000000000000:function:";
  private static final Pattern SYNTAX =
      Pattern.compile(
          "(?<prefix>arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\\d{12}:function:"
              + "|(?<account>\\d{12}):function:|function:)?"
              + "(?<name>[a-zA-Z0-9_-]{1,64})"
              + "(:(?<qualifier>\\$LATEST|[a-zA-Z0-9_-]{1,128}))?");

  /**
   * Reads what stands in the path.
   *
   * @param text percent-decoded
   * @param parameter the Qualifier parameter, or null
   * @return empty if it names no function in any of the ways
   */
  static Optional<LambdaFunctionName> parse(String text, @Nullable String parameter) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String prefix = matcher.group("prefix");
    String account = matcher.group("account");
    String name = matcher.group("name");
    String qualifier = matcher.group("qualifier");
    if (qualifier == null) {
      qualifier = parameter;
    }
    String full =
        prefix != null && prefix.startsWith("arn:")
            ? prefix
            : account != null ? DEFAULT_PREFIX.replace("000000000000", account) : DEFAULT_PREFIX;
    String arn = full + name + (qualifier == null ? "" : ":" + qualifier);
    return Optional.of(new LambdaFunctionName(name, qualifier, arn));
  }

  /** Whether the version that is served is the one that is asked for. */
  boolean accepts(int version) {
    return qualifier == null
        || qualifier.equals(LATEST)
        || qualifier.equals(Integer.toString(version));
  }
}
