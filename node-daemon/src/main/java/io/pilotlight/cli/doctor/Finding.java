package io.pilotlight.cli.doctor;

/**
 * One thing that was looked at.
 *
 * @param check what
 * @param found what is there
 * @param verdict whether that will do
 * @param advice what to do about it; empty if nothing
 */
public record Finding(String check, String found, Verdict verdict, String advice) {
  /** Whether what was found will do. */
  public enum Verdict {
    /** It will. */
    OK,
    /** Forks work, with something less than they could. */
    LIMITED,
    /** Forks cannot work here. */
    MISSING
  }

  static Finding ok(String check, String found) {
    return new Finding(check, found, Verdict.OK, "");
  }

  static Finding limited(String check, String found, String advice) {
    return new Finding(check, found, Verdict.LIMITED, advice);
  }

  static Finding missing(String check, String found, String advice) {
    return new Finding(check, found, Verdict.MISSING, advice);
  }
}
