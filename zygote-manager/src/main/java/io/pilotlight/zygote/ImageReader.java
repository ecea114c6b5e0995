package io.pilotlight.zygote;

import io.pilotlight.linux.CachedFile;
import io.pilotlight.linux.KernelException;
import io.pilotlight.recorder.ImageSet;
import io.pilotlight.recorder.PageSet;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the part of an image that first calls touch ahead of a clone, if it is not in the page
 * cache. A clone that finds it there takes page faults that cost a microsecond; else it waits for
 * hundreds of reads, one after the other. These here are asked for all at once, in the order in
 * which they lie on the disk.
 *
 * <p>Whether it is there is told by a few of its pages, others each time, looked at by whoever asks
 * for a clone. Thread-safe; nobody waits for a read.
 */
final class ImageReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageReader.class);

  /** So many pages are looked at for a start. */
  private static final int PROBES = 8;

  /** If so many of them are not there, the image is read. */
  private static final int MISSING = 2;

  /** Of so many, evenly spread, some are looked at each time. */
  private static final int SAMPLE = 256;

  /** To read so many pages that nobody needs costs less than a read more. */
  private static final int GAP_PAGES = 8;

  /**
   * After that the first calls have been answered, and the rest is read: later calls touch other
   * pages, and each alone would wait for the disk.
   */
  private static final Duration REST_DELAY = Duration.ofMillis(500);

  private final CachedFile file;
  private final ImageSet set;
  private final PageSet runs;
  private final long[] sample;
  private final Executor executor;
  private final HostServices services;
  private final AtomicInteger turn = new AtomicInteger();
  private final AtomicBoolean reading = new AtomicBoolean();
  private final LongAdder reads = new LongAdder();

  /**
   * As described.
   *
   * @param file the image's pages; owned from now on
   * @param set what is read of them
   * @param executor reads
   * @param services have the rest read later
   */
  ImageReader(CachedFile file, ImageSet set, Executor executor, HostServices services) {
    this.services = services;
    this.file = file;
    this.set = set;
    this.runs = set.readThrough(GAP_PAGES);
    this.sample = set.sample(SAMPLE);
    this.executor = executor;
  }

  /** How many pages first calls read of the image. */
  long pages() {
    return set.pages().pages();
  }

  /** How often the image was found not to be in the page cache, and was read. */
  long reads() {
    return reads.sum();
  }

  /** To be called before a clone is asked for: has the image read if it is not there. */
  void look() {
    if (!isMissing() || !reading.compareAndSet(false, true)) {
      return;
    }
    execute(this::read);
  }

  private void execute(Runnable task) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("the host is being closed", e);
    }
  }

  private boolean isMissing() {
    if (sample.length == 0 || reading.get()) {
      return false;
    }
    int first = Math.floorMod(turn.getAndIncrement(), sample.length);
    int missing = 0;
    for (int i = 0; i < PROBES && missing < MISSING; i++) {
      // Spread over all of the sample, wherever it begins.
      int at = (first + (int) ((long) i * sample.length / PROBES)) % sample.length;
      missing += file.cached(sample[at]) ? 0 : 1;
    }
    return missing >= MISSING;
  }

  private void read() {
    try {
      reads.increment();
      runs.forEachRun(this::read);
      services.later(REST_DELAY, () -> execute(() -> read(0, file.bytes())));
    } finally {
      reading.set(false);
    }
  }

  private void read(long start, long end) {
    try {
      file.willNeed(start, end - start);
    } catch (KernelException e) {
      LOG.debug("an image could not be read ahead; its clones read it", e);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
