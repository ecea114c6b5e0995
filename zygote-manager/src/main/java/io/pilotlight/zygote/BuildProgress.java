package io.pilotlight.zygote;

/** Is told how far the build of a zygote is. Called on the building thread; must return quickly. */
@FunctionalInterface
public interface BuildProgress {
  /** What a build is doing. */
  enum Stage {
    /** The JVM is starting. */
    STARTING,
    /** The function's jars are opened, its handler is found and constructed. */
    INITIALISING,
    /** Warm-up calls are being made. */
    WARMING,
    /** Garbage is collected, the compiler's queue drains. */
    QUIESCING,
    /** The JVM is stopped, its memory collapsed, the fork server installed. */
    FREEZING
  }

  /** Ignores everything. */
  BuildProgress NONE = (stage, done, total) -> {};

  /**
   * Called at the start of each stage, and after each warm-up call.
   *
   * @param stage what is being done
   * @param done steps of this stage that are done
   * @param total steps of this stage, or 0 where they are not counted
   */
  void at(Stage stage, int done, int total);
}
