package io.pilotlight.descriptor;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.regex.Matcher;

/**
 * A pattern that somebody else has chosen, as all or nothing of a text. Whatever the pattern, the
 * time that a match takes grows with the length of the text and not faster: a pattern of
 * java.util.regex, which its globs are made of too, can take for ever. Immutable.
 */
final class TextPattern {
  static final int MAX_CHARS = 1_000;

  /** How often a part may be asked for by counts, those of the parts around it multiplied. */
  static final int MAX_REPETITIONS = 100;

  private static final java.util.regex.Pattern COUNTS =
      java.util.regex.Pattern.compile("\\{(\\d+)(?:,(\\d*))?\\}");
  private static final String SPECIAL = "\\.^$|()[]{}*+?";

  private final Pattern pattern;

  private TextPattern(Pattern pattern) {
    this.pattern = pattern;
  }

  /**
   * A regular expression as RE2 has them: without back references and without looking around.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static TextPattern regex(String expression) {
    checkLength(expression);
    long repetitions = 1;
    for (Matcher counts = COUNTS.matcher(expression); counts.find(); ) {
      String most =
          counts.group(2) == null || counts.group(2).isEmpty() ? counts.group(1) : counts.group(2);
      // No more digits than a long has; the product is looked at before it can overflow.
      repetitions *= Math.max(1, most.length() > 9 ? MAX_REPETITIONS + 1 : Integer.parseInt(most));
      if (repetitions > MAX_REPETITIONS) {
        throw new IllegalArgumentException(
            "its counts in braces, multiplied, are more than " + MAX_REPETITIONS);
      }
    }
    return compiled(expression);
  }

  /**
   * A glob, as {@link java.nio.file.FileSystem#getPathMatcher} describes them.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static TextPattern glob(String glob) {
    checkLength(glob);
    return compiled(new GlobReader(glob).read());
  }

  private static void checkLength(String text) {
    if (text.length() > MAX_CHARS) {
      throw new IllegalArgumentException(
          "it has " + text.length() + " characters; at most " + MAX_CHARS + " are allowed");
    }
  }

  private static TextPattern compiled(String expression) {
    try {
      return new TextPattern(Pattern.compile(expression));
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(e.getDescription() + " in " + e.getPattern(), e);
    }
  }

  boolean matches(String text) {
    return pattern.matches(text);
  }

  /** Writes a glob as a regular expression. */
  private static final class GlobReader {
    private final String glob;
    private final StringBuilder out = new StringBuilder();
    private int next;

    GlobReader(String glob) {
      this.glob = glob;
    }

    String read() {
      boolean inGroup = false;
      while (next < glob.length()) {
        char c = glob.charAt(next++);
        switch (c) {
          case '\\' -> literal(escaped());
          case '[' -> set();
          case '{' -> {
            if (inGroup) {
              throw new IllegalArgumentException("groups in braces cannot be nested");
            }
            inGroup = true;
            out.append("(?:");
          }
          case '}' -> {
            out.append(inGroup ? ")" : "\\}");
            inGroup = false;
          }
          case ',' -> out.append(inGroup ? '|' : ',');
          case '?' -> out.append("[^/]");
          case '*' -> {
            boolean across = next < glob.length() && glob.charAt(next) == '*';
            next += across ? 1 : 0;
            out.append(across ? ".*" : "[^/]*");
          }
          default -> literal(c);
        }
      }
      if (inGroup) {
        throw new IllegalArgumentException("a group has no closing '}'");
      }
      return out.toString();
    }

    private void literal(char c) {
      if (SPECIAL.indexOf(c) >= 0) {
        out.append('\\');
      }
      out.append(c);
    }

    private char escaped() {
      if (next == glob.length()) {
        throw new IllegalArgumentException("nothing follows the last '\\'");
      }
      return glob.charAt(next++);
    }

    /** What is in square brackets. Nothing there has a meaning but '!', '-' and the end. */
    private void set() {
      boolean negated = next < glob.length() && glob.charAt(next) == '!';
      next += negated ? 1 : 0;
      int end = glob.indexOf(']', next);
      if (end <= next) {
        throw new IllegalArgumentException(
            end < 0 ? "a set has no closing ']'" : "a set in '[' and ']' is empty");
      }
      StringBuilder members = new StringBuilder();
      while (next < end) {
        int first = codePoint();
        int last = first;
        if (next + 1 < end && glob.charAt(next) == '-') {
          next++;
          last = codePoint();
        }
        if (first > last) {
          throw new IllegalArgumentException("a range in a set ends before it begins");
        }
        range(members, first, Math.min(last, '/' - 1));
        range(members, Math.max(first, '/' + 1), last);
      }
      next = end + 1;
      if (members.isEmpty()) {
        throw new IllegalArgumentException("a set cannot stand for '/'");
      }
      out.append(negated ? "[^/" : "[").append(members).append(']');
    }

    private int codePoint() {
      int c = glob.codePointAt(next);
      next += Character.charCount(c);
      return c;
    }

    private static void range(StringBuilder members, int first, int last) {
      if (first <= last) {
        members.append("\\x{%x}-\\x{%x}".formatted(first, last));
      }
    }
  }
}
