package io.pilotlight.zygote;

import io.pilotlight.recorder.Fit;

/**
 * What clones of a zygote replay of its working set.
 *
 * @param recordings of how many first calls the working set was merged
 * @param writtenPages pages that first calls write
 * @param filePages pages of files that they read or run
 * @param replayedPages pages that clones have touched ahead of their first call, since this daemon
 *     has the zygote
 * @param imagePages pages of its image's file that first calls read; 0 without an image
 * @param imageReads how often these were not in the page cache when a clone was asked for, and were
 *     read ahead of it
 * @param fit how well the set fitted the calls that were recorded after the first
 */
public record Replay(
    int recordings,
    long writtenPages,
    long filePages,
    long replayedPages,
    long imagePages,
    long imageReads,
    Fit fit) {
  /** Nothing recorded, nothing replayed. */
  public static final Replay NONE = new Replay(0, 0, 0, 0, 0, 0, Fit.NONE);

  /** The same of a zygote that was restored from an image. */
  Replay ofImage(long pages, long reads) {
    return new Replay(recordings, writtenPages, filePages, replayedPages, pages, reads, fit);
  }
}
