package io.pilotlight.zygote;

/**
 * When a warm-up has made enough calls: as many as are wanted, and on until the last {@value
 * #QUIET_CALLS} have compiled nothing. What is still about to be compiled when a zygote is frozen
 * is compiled by the first call of each of its clones: a method's counter that lacks one call is
 * one call short in all of them.
 */
final class Settling {
  /**
   * In how many calls in a row nothing may be compiled. A method whose code was thrown away counts
   * anew: 40 calls in the interpreter, then 1,000 until it is compiled for good (HotSpot's
   * Tier3InvocationThreshold and Tier4InvocationThreshold, scaled as zygotes' are).
   */
  private static final int QUIET_CALLS = 1_100;

  /** How many times as many calls are made at most, if something is always compiled. */
  private static final int MAX_FACTOR = 4;

  private final int wanted;
  private int latest;
  private int quietSince;

  /** For a warm-up of so many calls. */
  Settling(int wanted) {
    this.wanted = wanted;
  }

  /** Whether another call is to be made after so many. */
  boolean mayCall(int made) {
    if (made < wanted) {
      return true;
    }
    boolean quiet = latest == 0 || made - quietSince >= QUIET_CALLS;
    return !quiet && made < (long) MAX_FACTOR * wanted;
  }

  /**
   * The compilers have nothing to do.
   *
   * @param made how many calls have been made
   * @param compilation the number of the latest compilation; 0 if unknown
   */
  void idle(int made, int compilation) {
    if (compilation != latest) {
      latest = compilation;
      quietSince = made;
    }
  }
}
