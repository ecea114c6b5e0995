package io.pilotlight.it.support;

import static org.assertj.core.api.Assumptions.assumeThatCode;

import java.util.ArrayList;
import java.util.List;

/**
 * A launcher that runs a command where the monotonic clock is ahead, as on a machine that has been
 * up for longer.
 */
public final class ClockAhead {
  /** By how much: more than a day. */
  public static final long SECONDS = 100_000;

  private ClockAhead() {}

  /** To be put before a command; the test is skipped if this user may not do that. */
  public static List<String> launcher() {
    List<String> launcher = List.of("unshare", "-T", "--monotonic", Long.toString(SECONDS));
    List<String> nothing = new ArrayList<>(launcher);
    nothing.add("true");
    assumeThatCode(() -> TestJvm.run(nothing))
        .as("a time namespace can be made")
        .doesNotThrowAnyException();
    return launcher;
  }
}
