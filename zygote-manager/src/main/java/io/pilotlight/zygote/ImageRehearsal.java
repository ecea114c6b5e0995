package io.pilotlight.zygote;

import io.pilotlight.linux.CachedFile;
import io.pilotlight.recorder.ImageSet;
import io.pilotlight.recorder.PageSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out which pages of an image's file a first call reads, by means of the page cache: the file
 * is dropped from it, the call is made, and what is there then was read. The clone's mappings must
 * be read singly ({@link io.pilotlight.engine.ImageState#readSingly}), or the kernel reads ahead.
 *
 * <p>Bits of /proc/PID/pagemap would not do: around each page that is read the kernel maps as many
 * more as it has in the page cache, up to sixteen, and so most of the heap looks touched. Used
 * once, by one thread, before the image has any other process.
 */
final class ImageRehearsal {
  private static final Logger LOG = LoggerFactory.getLogger(ImageRehearsal.class);

  /** Some pages stay: those that the fork server itself has mapped. */
  private static final int MAX_KEPT_SHARE = 4;

  private final FrozenZygote blank;
  private final CachedFile file;

  ImageRehearsal(FrozenZygote blank, CachedFile file) {
    this.blank = blank;
    this.file = file;
  }

  /**
   * Does it.
   *
   * @return empty if nothing could be learnt: no call succeeded, or the file system keeps its files
   *     in memory
   */
  Optional<ImageSet> run(Warmup warmup) throws IOException {
    try {
      return measure(warmup);
    } finally {
      // It was in memory, having just been written: what no call has read is read back.
      file.willNeed(0, file.bytes());
    }
  }

  private Optional<ImageSet> measure(Warmup warmup) throws IOException {
    List<PageSet> read = new ArrayList<>();
    int calls = FrozenZygote.rehearsals(warmup);
    for (int i = 0; i < calls; i++) {
      file.drop();
      int kept = file.cached().cardinality();
      if (kept > file.pages() / MAX_KEPT_SHARE) {
        LOG.debug("{} of {} pages cannot be dropped", kept, file.pages());
        return Optional.empty();
      }
      if (!blank.rehearse(warmup, i)) {
        return Optional.empty();
      }
      read.add(pages(file.cached()));
    }
    if (read.isEmpty()) {
      return Optional.empty();
    }
    PageSet most = PageSet.inAtLeast((read.size() + 1) / 2, read);
    return Optional.of(new ImageSet(most, blank.replay().recordings(), blank.workingSet().usual()));
  }

  private static PageSet pages(BitSet bits) {
    PageSet.Builder pages = new PageSet.Builder();
    for (int from = bits.nextSetBit(0); from >= 0; ) {
      int to = bits.nextClearBit(from);
      pages.add((long) from * PageSet.PAGE_BYTES, (long) to * PageSet.PAGE_BYTES);
      from = bits.nextSetBit(to);
    }
    return pages.build();
  }
}
