package io.pilotlight.zygote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.pilotlight.engine.CloneCall;
import io.pilotlight.engine.ForkEngine.Blueprint;
import io.pilotlight.engine.ImageState;
import io.pilotlight.engine.ImageState.Area;
import io.pilotlight.engine.ImageState.KernelArea;
import io.pilotlight.engine.ImageState.Source;
import io.pilotlight.engine.Residence;
import io.pilotlight.linux.ProcFs.MemoryLayout;
import io.pilotlight.zygote.ImageDirectory.Content;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ImageDirectoryTest {
  private static final List<String> PARTS =
      List.of("manifest.json", "state.json", "pages", "checksums");

  @TempDir Path directory;
  private Path path;
  private ImageDirectory image;

  @BeforeEach
  void write() throws Exception {
    path = directory.resolve("z-1");
    image = new ImageDirectory(path);
    image.write(
        pages -> {
          pages.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), 4096);
          return content(pages.size());
        });
  }

  static Content content(long pagesBytes) throws IOException {
    FunctionSpec spec =
        new FunctionSpec(
            "name",
            "2",
            "C",
            List.of(Path.of("/a b.jar")),
            List.of(),
            Map.of("K", "ü"),
            Limits.ofMemory(256),
            Path.of("/jdk"),
            List.of());
    Residence residence =
        new Residence(
            0x7f00,
            List.of(new Residence.SignalAction(11, 0x7e01, 4, 0x7e02, 1)),
            new Residence.Leader(0x7d00, 0x7d80, 32, 0x53053053, "java", 0, 50_000),
            List.of(),
            11,
            77,
            78);
    ImageManifest manifest =
        new ImageManifest(
            ImageManifest.FORMAT,
            "z-1",
            "2026-01-01T00:00:00Z",
            spec,
            "JAVA_VERSION=17",
            new Blueprint(12, new CloneCall(17, 0, 0x7f01), List.of("dup3")),
            List.of("w"),
            HostTraits.current(),
            77,
            List.of(new FileTraits("/a b.jar", 1, 2, "00000003")),
            pagesBytes);
    ImageState state =
        new ImageState(
            residence,
            List.of(new Area(0x1000, 4096, 3, Source.PAGES, -1, 4096, List.of(14))),
            List.of("/a b.jar"),
            List.of(new KernelArea("[vdso]", 0x7000, 8192)),
            new MemoryLayout(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
            "",
            1024,
            65_536);
    return new Content(manifest, state);
  }

  private ImageException failure() {
    return catchThrowableOfType(ImageException.class, image::read);
  }

  @Test
  void pagesThatWereTouchedAreReadAgain() throws Exception {
    assertThat(image.readTrusting()).isEqualTo(image.read());
    byte[] bytes = Files.readAllBytes(image.pages());
    bytes[bytes.length / 2] ^= 1;
    FileTime modified = Files.getLastModifiedTime(image.pages());
    // The kernel's clock for files ticks every few milliseconds.
    do {
      Files.write(image.pages(), bytes);
      Files.setLastModifiedTime(image.pages(), modified);
    } while (((FileTime) Files.getAttribute(image.pages(), "unix:ctime"))
            .compareTo(image.finished())
        <= 0);
    assertThatThrownBy(image::readTrusting)
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("pages is not what was written");
  }

  @Test
  void isReadAsItWasWritten() throws Exception {
    assertThat(image.read()).isEqualTo(content(4100));
    assertThat(((FunctionSpec) image.summary().subject()).environment()).containsEntry("K", "ü");
    assertThat(image.summary().bytes()).isGreaterThan(4100);
  }

  @Test
  void onlyItsOwnerMayReadIt() throws Exception {
    for (String part : PARTS) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.resolve(part))))
          .isEqualTo("rw-------");
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rwx------");
    assertThat(directory.toFile().list()).as("nothing unfinished").containsExactly("z-1");
  }

  @Test
  void aFlippedBitIsFound() throws Exception {
    for (String part : PARTS) {
      Path file = path.resolve(part);
      byte[] good = Files.readAllBytes(file);
      int step = part.equals("manifest.json") || part.equals("checksums") ? 1 : 37;
      for (int i = 0; i < good.length; i += step) {
        byte[] bad = good.clone();
        bad[i] ^= (byte) (1 << i % 8);
        Files.write(file, bad);
        ImageException failure = failure();
        assertThat(failure).as("byte %d of %s", i, part).isNotNull();
        assertThat(failure.reason()).isIn(Reason.DAMAGED, Reason.FORMAT);
        assertThat(failure).hasMessageContaining(path.toString());
      }
      Files.write(file, good);
    }
    image.read();
  }

  @Test
  void everyLengthButItsOwnIsFound() throws Exception {
    for (String part : PARTS) {
      Path file = path.resolve(part);
      byte[] good = Files.readAllBytes(file);
      for (int length = 0; length < good.length; length += 1 + good.length / 50) {
        Files.write(file, Arrays.copyOf(good, length));
        assertThat(failure()).as("%s of %d bytes", part, length).isNotNull();
      }
      Files.write(file, Arrays.copyOf(good, good.length + 1));
      assertThat(failure()).as("%s with one more byte", part).isNotNull();
      Files.write(file, good);
    }
  }

  @Test
  void aMissingPartIsNamed() throws Exception {
    for (String part : PARTS) {
      Files.move(path.resolve(part), directory.resolve("away"));
      assertThat(failure()).hasMessageContaining(part).hasMessageContaining("missing");
      Files.move(directory.resolve("away"), path.resolve(part));
    }
  }

  @Test
  void anotherFormatIsNamed() throws Exception {
    Path manifest = path.resolve("manifest.json");
    Files.writeString(
        manifest, Files.readString(manifest).replaceFirst("\"format\" : \\d+", "\"format\" : 99"));
    assertThat(failure().reason()).isEqualTo(Reason.FORMAT);
    assertThat(failure()).hasMessageContaining("99");
  }

  @Test
  void nothingIsLeftOfOneThatFails() {
    Path other = directory.resolve("z-2");
    assertThatThrownBy(
            () ->
                new ImageDirectory(other)
                    .write(
                        pages -> {
                          pages.write(ByteBuffer.allocate(1));
                          throw new IOException("disk full");
                        }))
        .hasMessage("disk full");
    assertThat(directory.toFile().list()).containsExactly("z-1");
  }

  @Test
  void aMachineThatDiffersIsNamed() throws Exception {
    HostTraits here = HostTraits.current();
    here.require(here);
    SortedSet<String> fewer = new TreeSet<>(here.processorFeatures());
    fewer.remove("sse2");
    HostTraits older =
        new HostTraits(
            here.kernel(),
            here.glibc(),
            here.processorVendor(),
            fewer,
            here.vdso(),
            here.kernelAreas(),
            here.bootId());
    assertThatThrownBy(() -> here.require(older)).hasMessageContaining("sse2");
    older.require(here);
    HostTraits otherKernel =
        new HostTraits(
            "6.0",
            here.glibc(),
            here.processorVendor(),
            here.processorFeatures(),
            "00",
            here.kernelAreas(),
            here.bootId());
    assertThatThrownBy(() -> otherKernel.require(here)).hasMessageContaining("6.0");
    HostTraits otherMaker =
        new HostTraits(
            here.kernel(),
            here.glibc(),
            "Other",
            here.processorFeatures(),
            here.vdso(),
            here.kernelAreas(),
            here.bootId());
    assertThatThrownBy(() -> otherMaker.require(here)).hasMessageContaining("Other");
  }

  @Test
  void aChangedFileIsNamed() throws Exception {
    Path jar = Files.writeString(directory.resolve("x.jar"), "one");
    FileTraits traits = FileTraits.of(jar.toString());
    traits.require();
    FileTime time = Files.getLastModifiedTime(jar);
    Files.writeString(jar, "two");
    Files.setLastModifiedTime(jar, time);
    assertThatThrownBy(traits::require)
        .hasMessageContaining(jar.toString())
        .hasMessageContaining("changed");
    Files.delete(jar);
    assertThatThrownBy(traits::require).hasMessageContaining("gone");
  }
}
