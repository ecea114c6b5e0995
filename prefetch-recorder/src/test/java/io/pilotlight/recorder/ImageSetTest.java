package io.pilotlight.recorder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ImageSetTest {
  private static final long PAGE = PageSet.PAGE_BYTES;
  private static final long SEED = 7;

  private static PageSet pages(long... pages) {
    PageSet.Builder builder = new PageSet.Builder();
    for (long page : pages) {
      builder.add(page * PAGE, (page + 1) * PAGE);
    }
    return builder.build();
  }

  private static PageSet scattered(long first, int count) {
    Random random = new Random(SEED);
    PageSet.Builder builder = new PageSet.Builder();
    long page = first;
    for (int i = 0; i < count; i++) {
      page += 1 + random.nextInt(8);
      builder.add(page * PAGE, (page + 1) * PAGE);
    }
    return builder.build();
  }

  private static ImageSet scattered() {
    long heap = 0xe8000L;
    return new ImageSet(
        scattered(0, 3_000), 4, new Recording(scattered(heap, 1_100), scattered(1L << 34, 2_200)));
  }

  @Test
  void isReadAsItWasWritten() throws Exception {
    assertThat(ImageSet.decode(scattered().encode())).isEqualTo(scattered());
    assertThat(ImageSet.decode(ImageSet.NONE.encode())).isEqualTo(ImageSet.NONE);
  }

  @Test
  void thousandsOfScatteredPagesTakeFewBytes() {
    assertThat(scattered().encode().length).isLessThan(32 << 10);
  }

  @Test
  void everyChangedByteAndEveryShorteningIsFound() {
    byte[] whole = new ImageSet(pages(1, 2, 9), 4, new Recording(pages(700), pages(3))).encode();
    for (int i = 0; i < whole.length; i++) {
      byte[] changed = whole.clone();
      changed[i] ^= 0x10;
      assertThatThrownBy(() -> ImageSet.decode(changed)).isInstanceOf(java.io.IOException.class);
      byte[] shorter = Arrays.copyOf(whole, i);
      assertThatThrownBy(() -> ImageSet.decode(shorter))
          .as("%d bytes", i)
          .isInstanceOf(java.io.IOException.class);
    }
  }

  @Test
  void readsThroughSmallGapsOnly() {
    ImageSet set = new ImageSet(pages(1, 3, 10, 11, 16), 1, ImageSet.NONE.usual());
    assertThat(set.readThrough(0)).isEqualTo(set.pages());
    assertThat(set.readThrough(1)).isEqualTo(pages(1, 2, 3, 10, 11, 16));
    assertThat(set.readThrough(4)).isEqualTo(pages(1, 2, 3, 10, 11, 12, 13, 14, 15, 16));
    assertThat(ImageSet.NONE.readThrough(8)).isEqualTo(PageSet.empty());
  }

  @Test
  void samplesEvenly() {
    ImageSet set = new ImageSet(pages(1, 3, 10, 11, 16, 17), 1, ImageSet.NONE.usual());
    assertThat(set.sample(3)).containsExactly(PAGE, 10 * PAGE, 16 * PAGE);
    assertThat(set.sample(100)).hasSize(6);
    assertThat(ImageSet.NONE.sample(3)).isEmpty();
  }
}
