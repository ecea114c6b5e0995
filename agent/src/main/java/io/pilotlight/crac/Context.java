package io.pilotlight.crac;

import org.jspecify.annotations.Nullable;

/**
 * A resource that passes on to others what it is told.
 *
 * @param <R> what can be registered
 */
public abstract class Context<R extends Resource> implements Resource {
  /** For subclasses. */
  protected Context() {}

  @Override
  public abstract void beforeCheckpoint(@Nullable Context<? extends Resource> context)
      throws CheckpointException;

  @Override
  public abstract void afterRestore(@Nullable Context<? extends Resource> context)
      throws RestoreException;

  /**
   * Has {@code resource} told from now on.
   *
   * @throws NullPointerException if it is null
   */
  public abstract void register(R resource);
}
