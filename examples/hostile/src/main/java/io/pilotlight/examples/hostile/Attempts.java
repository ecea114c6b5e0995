package io.pilotlight.examples.hostile;

import java.util.LinkedHashMap;
import java.util.Map;

/** What was tried, and what came of it. */
final class Attempts {
  /** The outcome of what could be done. */
  static final String DONE = "done";

  private final Map<String, String> outcomes = new LinkedHashMap<>();

  /** Something to try; it says what it got. */
  @FunctionalInterface
  interface Attempt {
    String run() throws Exception;
  }

  /** Tries it. */
  void attempt(String what, Attempt attempt) {
    String outcome;
    try {
      outcome = DONE + ": " + attempt.run();
    } catch (Exception e) {
      outcome = "denied: " + e;
    }
    outcomes.put(what, outcome);
  }

  /** What came of each. */
  Map<String, String> outcomes() {
    return outcomes;
  }
}
