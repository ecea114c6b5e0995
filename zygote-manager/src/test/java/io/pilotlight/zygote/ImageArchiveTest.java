package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.github.luben.zstd.ZstdOutputStream;
import io.pilotlight.zygote.ImageArchive.Attachment;
import io.pilotlight.zygote.ImageDirectory.Content;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ImageArchiveTest {
  private static final byte[] DESCRIPTION = "{\"a\":1}".getBytes(StandardCharsets.UTF_8);
  private static final long HOLE = 16 << 20;

  /** Of zstd: it has a bit without a meaning, and the size of the window may be larger. */
  private static final int FRAME_HEADER_BYTES = 6;

  @TempDir Path directory;
  private Path image;
  private Path archive;
  private Path jar;

  @BeforeEach
  void export() throws Exception {
    image = directory.resolve("z-1");
    jar = Files.writeString(directory.resolve("some.jar"), "content of a jar");
    write(image, Path.of(System.getProperty("java.home")));
    archive = directory.resolve("exported");
    export(image, archive);
  }

  /** An image that could be restored here, with a hole in its pages. */
  private static void write(Path image, Path home) throws Exception {
    byte[] random = new byte[20_000];
    new Random(1).nextBytes(random);
    new ImageDirectory(image)
        .write(
            pages -> {
              pages.write(ByteBuffer.wrap(random), 0);
              pages.write(ByteBuffer.wrap(random), HOLE);
              Content content = ImageDirectoryTest.content(pages.size());
              ImageManifest manifest = content.manifest();
              String jdk = String.join(" ", Files.readAllLines(home.resolve("release"))).strip();
              return new Content(
                  new ImageManifest(
                      manifest.format(),
                      manifest.id(),
                      manifest.created(),
                      new FunctionSpec(
                          "name",
                          "2",
                          "C",
                          List.of(),
                          List.of(),
                          Map.of(),
                          Limits.ofMemory(256),
                          home,
                          List.of()),
                      jdk,
                      manifest.blueprint(),
                      manifest.warnings(),
                      manifest.host(),
                      manifest.frozenNanos(),
                      List.of(),
                      manifest.pagesBytes()),
                  content.state());
            });
  }

  private void export(Path from, Path to) throws Exception {
    try (OutputStream out = Files.newOutputStream(to)) {
      ImageArchive.write(from, DESCRIPTION, List.of(new Attachment("some.jar", jar)), out);
    }
  }

  private List<String> imported(Path target) throws Exception {
    List<String> names = new ArrayList<>();
    try (ImageArchiveReader reader = new ImageArchiveReader(archive)) {
      assertThat(reader.description()).isEqualTo(DESCRIPTION);
      reader.requireHere();
      reader.attachments(
          (name, content) ->
              names.add(name + "=" + new String(content.readAllBytes(), StandardCharsets.UTF_8)));
      reader.image(target, false);
    }
    return names;
  }

  @Test
  void isImportedAsItWas() throws Exception {
    Path target = directory.resolve("z-2");
    assertThat(imported(target)).containsExactly("some.jar=content of a jar");
    for (String part : List.of("manifest.json", "state.json", "pages", "checksums")) {
      assertThat(target.resolve(part)).hasSameBinaryContentAs(image.resolve(part));
    }
    ImageSummary summary = new ImageDirectory(target).summary();
    assertThat(summary.bytes()).isGreaterThan(HOLE);
    assertThat(summary.storedBytes()).as("holes are holes again").isLessThan(HOLE / 16);
    assertThat(Files.size(archive)).as("and take nothing in between").isLessThan(60_000);
    assertThatThrownBy(() -> imported(target)).as("not in silence").isInstanceOf(IOException.class);
    try (ImageArchiveReader reader = new ImageArchiveReader(archive)) {
      reader.attachments((name, content) -> {});
      assertThat(reader.image(target, true).bytes()).isEqualTo(summary.bytes());
    }
    new ImageDirectory(target).read();
  }

  @Test
  void aFlippedBitAnywhereIsFoundAndNothingIsLeft() throws Exception {
    byte[] good = Files.readAllBytes(archive);
    Path target = directory.resolve("z-3");
    for (int i = 0; i < good.length; i += i < 100 ? 1 : 97) {
      byte[] bad = good.clone();
      bad[i] ^= (byte) (1 << i % 8);
      Files.write(archive, bad);
      Throwable failure = catchThrowable(() -> importAnyway(target));
      if (failure == null && i < FRAME_HEADER_BYTES) {
        assertThat(target.resolve("pages")).hasSameBinaryContentAs(image.resolve("pages"));
        new ImageDirectory(target).delete();
        continue;
      }
      assertThat(failure).as("byte %d", i).isInstanceOf(ImageException.class);
      assertThat(((ImageException) failure).reason()).isIn(Reason.DAMAGED, Reason.FORMAT);
      assertThat(Files.exists(target)).isFalse();
    }
    assertThat(directory.toFile().list()).containsOnly("z-1", "exported", "some.jar");
  }

  private void importAnyway(Path target) throws Exception {
    try (ImageArchiveReader reader = new ImageArchiveReader(archive)) {
      reader.attachments((name, content) -> content.readAllBytes());
      reader.image(target, false);
    }
  }

  @Test
  void everyLengthButItsOwnIsFound() throws Exception {
    byte[] good = Files.readAllBytes(archive);
    Path target = directory.resolve("z-3");
    for (int length = 0; length < good.length; length += 1 + good.length / 100) {
      Files.write(archive, Arrays.copyOf(good, length));
      assertThatThrownBy(() -> importAnyway(target))
          .as("%d bytes", length)
          .isInstanceOf(ImageException.class);
    }
    Files.write(archive, Arrays.copyOf(good, good.length + 7));
    assertThatThrownBy(() -> importAnyway(target)).isInstanceOf(ImageException.class);
    assertThat(Files.exists(target)).isFalse();
  }

  @Test
  void whatIsNoExportIsRefused() throws Exception {
    Files.writeString(archive, "no archive at all");
    assertThatThrownBy(() -> importAnyway(directory.resolve("z-3")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("no exported image");
  }

  @Test
  void aNameThatLeadsElsewhereIsNeverAPath() throws Exception {
    for (String name : List.of("../evil", "/tmp/evil", "image/../../evil", "image/pages")) {
      try (TarArchiveOutputStream tar = forged()) {
        entry(tar, ImageArchive.DESCRIPTION, "{}");
        entry(tar, name, "evil");
      }
      assertThatThrownBy(() -> importAnyway(directory.resolve("z-3")))
          .as(name)
          .isInstanceOf(ImageException.class)
          .hasMessageContaining(name);
    }
    try (TarArchiveOutputStream tar = forged()) {
      TarArchiveEntry link = new TarArchiveEntry(ImageArchive.DESCRIPTION, TarConstants.LF_SYMLINK);
      link.setLinkName("/etc/passwd");
      tar.putArchiveEntry(link);
      tar.closeArchiveEntry();
    }
    assertThatThrownBy(() -> importAnyway(directory.resolve("z-3")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("where the file");
  }

  private TarArchiveOutputStream forged() throws IOException {
    return new TarArchiveOutputStream(new ZstdOutputStream(Files.newOutputStream(archive)));
  }

  private static void entry(TarArchiveOutputStream tar, String name, String content)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, true);
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    entry.setSize(bytes.length);
    tar.putArchiveEntry(entry);
    tar.write(bytes);
    tar.closeArchiveEntry();
  }

  @Test
  void anotherJdkIsNamed() throws Exception {
    Path home = Files.createDirectory(directory.resolve("jdk"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"17.0.1\"\n");
    Path other = directory.resolve("z-4");
    write(other, home);
    export(other, archive);
    imported(directory.resolve("z-5"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"17.0.2\"\n");
    assertThatThrownBy(() -> imported(directory.resolve("z-6")))
        .isInstanceOf(ImageException.class)
        .hasMessageContainingAll("17.0.1", "17.0.2", home.toString());
    Files.delete(home.resolve("release"));
    assertThatThrownBy(() -> imported(directory.resolve("z-6")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("same build");
  }
}
