package io.pilotlight.cli.bench;

import io.pilotlight.engine.Isolation;
import java.util.ArrayList;
import java.util.List;

/**
 * A way in which a function is deployed to be compared with other ways.
 *
 * @param replay whether its clones replay the working set before their first call
 * @param isolation of its processes
 */
public record Variant(boolean replay, Isolation isolation) {
  /** As functions are deployed that say nothing. */
  public static final Variant USUAL = new Variant(true, Isolation.NONE);

  /** Every combination; the first ones first. */
  public static List<Variant> of(List<Boolean> replay, List<Isolation> isolation) {
    List<Variant> variants = new ArrayList<>();
    for (Isolation level : isolation) {
      for (boolean on : replay) {
        variants.add(new Variant(on, level));
      }
    }
    return variants;
  }

  /** Put behind the name of what is measured; empty for the usual one. */
  public String label() {
    return (isolation == Isolation.NONE ? "" : ", " + isolation.word())
        + (replay ? "" : ", no replay");
  }

  /** Put behind a function's name; empty for the usual one. */
  public String suffix() {
    return (isolation == Isolation.NONE ? "" : "-" + isolation.word()) + (replay ? "" : "-plain");
  }
}
