package io.pilotlight.crac;

import org.jspecify.annotations.Nullable;

/** Something that is told of the checkpoint and of the restore. */
public interface Resource {
  /**
   * A checkpoint is about to be made.
   *
   * @param context who tells
   * @throws Exception if it cannot be made
   */
  void beforeCheckpoint(@Nullable Context<? extends Resource> context) throws Exception;

  /**
   * This process was restored, or there was no checkpoint after all.
   *
   * @param context who tells
   * @throws Exception if the resource cannot go on
   */
  void afterRestore(@Nullable Context<? extends Resource> context) throws Exception;
}
