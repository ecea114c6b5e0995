package io.pilotlight.zygote;

/**
 * Is told how long the engine's phases took. Called on the engine's threads; must return quickly.
 */
@FunctionalInterface
public interface EngineListener {
  /** Ignores everything. */
  EngineListener NONE = (engine, phase, nanos) -> {};

  /**
   * One phase has ended.
   *
   * @param engine {@code fork} or {@code image}
   * @param phase for fork {@code freeze}, {@code collapse}, {@code install}, {@code clone}; for
   *     image {@code dump}, {@code rehearse}, {@code verify}, {@code revive}, {@code clone}
   * @param nanos how long it took
   */
  void phase(String engine, String phase, long nanos);
}
