package io.pilotlight.zygote;

/**
 * What clones of a zygote replay of its working set.
 *
 * @param recordings of how many first calls the working set was merged
 * @param writtenPages pages that first calls write
 * @param filePages pages of files that they read or run
 * @param replayedPages pages that clones have touched ahead of their first call, since this daemon
 *     has the zygote
 */
public record Replay(int recordings, long writtenPages, long filePages, long replayedPages) {
  /** Nothing recorded, nothing replayed. */
  public static final Replay NONE = new Replay(0, 0, 0, 0);
}
