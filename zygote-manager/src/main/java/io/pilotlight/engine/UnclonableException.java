package io.pilotlight.engine;

import java.util.List;

/**
 * A process holds things that its clones cannot be given. Each is one sentence that says what it is
 * and what to do.
 */
public final class UnclonableException extends Exception {
  private static final long serialVersionUID = 1L;
  private final transient List<String> reasons;

  /** With one sentence for each thing. */
  public UnclonableException(List<String> reasons) {
    super(String.join(" ", reasons));
    this.reasons = List.copyOf(reasons);
  }

  /** One sentence for each thing. */
  public List<String> reasons() {
    return reasons;
  }
}
