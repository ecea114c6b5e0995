package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What lies in an image as its manifest is one, whole, or refused. */
@Timeout(60)
final class ImageManifestFuzzTest {
  @TempDir static Path directory;

  /** A list of images reads manifests only, and does not look at checksums. */
  @FuzzTest
  void fileIsAManifestOrRefused(byte[] input) throws IOException {
    Path image = Files.createDirectories(directory.resolve("image"));
    Files.write(image.resolve("manifest.json"), input);
    try {
      ImageSummary summary = new ImageDirectory(image).summary();
      assertThat(summary.zygote()).isNotNull();
      assertThat(summary.created()).isNotNull();
      if (summary.subject() instanceof FunctionSpec function) {
        assertThat(function.environment()).doesNotContainValue(null);
      }
    } catch (ImageException e) {
      assertThat(e).hasMessageContaining(image.toString());
    }
  }
}
