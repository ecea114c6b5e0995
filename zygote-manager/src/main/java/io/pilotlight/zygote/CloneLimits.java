package io.pilotlight.zygote;

import io.pilotlight.engine.Placement;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Puts the clones of one zygote under their limits. Thread-safe. */
final class CloneLimits {
  private final Limits limits;
  private final int wholeMib;
  private final Placement placement;
  private final @Nullable GroupPool groups;

  /**
   * As described.
   *
   * @param wholeMib what may be charged to each altogether
   * @param placement how each gets into its group
   * @param groups one for each; null if there are none to be had
   */
  CloneLimits(Limits limits, int wholeMib, Placement placement, @Nullable GroupPool groups) {
    this.limits = limits;
    this.wholeMib = wholeMib;
    this.placement = placement;
    this.groups = groups;
  }

  /** How its clones get into their groups. */
  Placement placement() {
    return placement;
  }

  /** Makes what they need, ahead of them. */
  void prepare() {
    if (groups != null) {
      groups.fill();
    }
  }

  /**
   * The limits of the next clone.
   *
   * @throws IOException if there is no group for it
   */
  ProcessLimits next() throws IOException {
    return groups == null
        ? new ProcessLimits(limits, wholeMib, null, group -> {})
        : new ProcessLimits(limits, wholeMib, groups.take(), groups::giveBack);
  }

  /** No clone will be made any more. */
  void close() {
    if (groups != null) {
      groups.close();
    }
  }
}
