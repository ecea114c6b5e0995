package io.pilotlight.it.faults;

/**
 * One system call of a freeze, a fork, or of a clone that becomes itself.
 *
 * @param actor who makes it
 * @param thread of a clone, in the order in which they first make a call; 0 for the others
 * @param number of the call
 * @param ordinal how many calls of that number the same thread (or actor) made before, in this
 *     episode
 */
record Step(Actor actor, int thread, int number, int ordinal) {

  /** Who makes a call. */
  enum Actor {
    /** The daemon, from outside. */
    DAEMON,
    /** A frozen process, made to by the daemon. */
    TRACEE,
    /** The resident routine in a zygote. */
    ZYGOTE,
    /** The resident routine in a clone. */
    CLONE
  }

  /**
   * Whether the request may have been served without an answer: the thread that serves it is made
   * already, by the leader's first clone, and is another than this; or the daemon reads the answer.
   * It is not sent to another process then, as the function may have acted on it.
   */
  boolean mayLoseTheAnswer() {
    boolean later = number == Calls.CLONE ? ordinal > 0 : thread > 1;
    return switch (actor) {
      case CLONE -> later || number == Calls.SET_ROBUST_LIST;
      case DAEMON -> number == Calls.READ;
      case TRACEE, ZYGOTE -> false;
    };
  }

  @Override
  public String toString() {
    return actor
        + (actor == Actor.CLONE ? " thread " + thread : "")
        + " "
        + Calls.name(number)
        + " #"
        + ordinal;
  }
}
