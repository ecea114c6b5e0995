package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.pilotlight.engine.ImageState;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What lies in an image as its state is one, whole, or refused. */
@Timeout(60)
final class ImageStateFuzzTest {
  @TempDir static Path directory;

  private static Path path;
  private static ImageDirectory image;

  @BeforeAll
  static void write() throws IOException, ImageException {
    path = directory.resolve("image");
    image = new ImageDirectory(path);
    image.write(
        pages -> {
          pages.write(ByteBuffer.allocate(1));
          return ImageDirectoryTest.content(pages.size());
        });
  }

  /** Its checksum may be right: whoever can write the one can write the other. */
  @FuzzTest
  void fileIsAStateOrRefused(byte[] input) throws IOException {
    Files.write(path.resolve("state.json"), input);
    Files.writeString(path.resolve("checksums"), ImageDirectory.checksums(path));
    try {
      ImageState state = image.read().state();
      assertThat(state.residence().leader().name()).isNotNull();
      assertThat(state.areas()).allMatch(area -> area.source() != null);
      assertThat(state.files()).doesNotContainNull();
      assertThat(state.layout()).isNotNull();
    } catch (ImageException e) {
      assertThat(e).hasMessageContaining(path.toString());
    }
  }
}
