package io.pilotlight.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WorkingSetMapTest {
  private static final int MISSED = 0xfff2a541;
  private static final int FILE = 0xff2e6f95;
  private static final int WRITTEN = 0xffd1495b;

  @TempDir Path directory;

  @Test
  void drawsEachPageInTheColourOfWhatHappenedToIt() throws Exception {
    Path file = directory.resolve("map.png");
    WorkingSetMap.of(
            new ObjectMapper()
                .readTree(
                    """
                    {"function": "f", "recordings": 4,
                     "map": [{"start": "0x7f0000000000", "pages": 512, "region": "java heap"}],
                     "runs": {"written": [["0x7f0000000000", 20]],
                              "file": [["0x7f0000100000", 10]],
                              "touched": [["0x7f0000000000", 25], ["0x7f0000100000", 10]]}}
                    """))
        .write(file);

    Map<Integer, Integer> cells = cells(ImageIO.read(file.toFile()));
    // A cell is three pixels wide and ten high, and each colour is once in the legend.
    assertThat(cells.get(WRITTEN)).isEqualTo(20 * 30 + 100);
    assertThat(cells.get(FILE)).isEqualTo(10 * 30 + 100);
    assertThat(cells.get(MISSED)).isEqualTo(5 * 30 + 100);
  }

  private static Map<Integer, Integer> cells(BufferedImage image) {
    Map<Integer, Integer> pixels = new HashMap<>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        pixels.merge(image.getRGB(x, y), 1, Integer::sum);
      }
    }
    return pixels;
  }
}
