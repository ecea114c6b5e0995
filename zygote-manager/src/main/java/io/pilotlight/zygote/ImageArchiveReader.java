package io.pilotlight.zygote;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@link ImageArchive} writes, from anywhere: no name in it is ever taken for a path,
 * and nothing has its place before every byte of it was checked. To be used in the order of the
 * methods, by one thread.
 */
public final class ImageArchiveReader implements AutoCloseable {
  /** The descriptions of the largest images have some hundred kilobytes. */
  private static final int MOST_SMALL_BYTES = 64 << 20;

  private final TarArchiveInputStream tar;
  private final byte[] description;
  private final Map<String, byte[]> small = new HashMap<>();
  private final ImageManifest manifest;
  private @Nullable TarArchiveEntry next;

  /**
   * Reads what comes first.
   *
   * @param archive the file
   * @throws ImageException if it is none, or damaged, or holds an image of another format
   * @throws IOException if it cannot be read
   */
  public ImageArchiveReader(Path archive) throws ImageException, IOException {
    tar =
        new TarArchiveInputStream(
            new ZstdInputStreamNoFinalizer(new Raw(Files.newInputStream(archive))));
    boolean open = false;
    try {
      next = entry();
      description = small(ImageArchive.DESCRIPTION);
      for (String part : ImageDirectory.SMALL_PARTS) {
        small.put(part, small(ImageArchive.IMAGE + part));
      }
      manifest =
          new ImageDirectory(archive)
              .manifest(small.getOrDefault(ImageDirectory.MANIFEST, new byte[0]));
      open = true;
    } finally {
      if (!open) {
        tar.close();
      }
    }
  }

  /** Tells what the disk says from what the content does. */
  private static final class Raw extends FilterInputStream {
    Raw(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        return in.read(bytes, offset, length);
      } catch (IOException e) {
        throw new Unreadable(e);
      }
    }
  }

  /** The file cannot be read, which says nothing of its content. */
  private static final class Unreadable extends IOException {
    private static final long serialVersionUID = 1L;

    Unreadable(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private @Nullable TarArchiveEntry entry() throws ImageException, IOException {
    try {
      return tar.getNextEntry();
    } catch (Unreadable e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw broken(e);
    }
  }

  private static ImageException broken(Exception e) {
    return new ImageException(
        Reason.DAMAGED,
        "The exported image is damaged, or no exported image: "
            + e.getMessage()
            + ". Export it again, and copy it whole.",
        e);
  }

  private TarArchiveEntry expect(String name) throws ImageException {
    TarArchiveEntry entry = next;
    if (entry == null) {
      throw ImageArchive.damaged("ends before its entry '" + name + "'");
    }
    if (!entry.getName().equals(name) || entry.getLinkFlag() != TarConstants.LF_NORMAL) {
      throw ImageArchive.damaged(
          "has an entry '" + entry.getName() + "' where the file '" + name + "' should be");
    }
    return entry;
  }

  private byte[] small(String name) throws ImageException, IOException {
    TarArchiveEntry entry = expect(name);
    if (entry.getSize() > MOST_SMALL_BYTES) {
      throw ImageArchive.damaged(
          "has " + entry.getSize() + " bytes in '" + name + "', more than any image");
    }
    byte[] content;
    try (InputStream in = content()) {
      content = in.readAllBytes();
    } catch (Damaged e) {
      throw broken(e);
    }
    next = entry();
    return content;
  }

  /** What the exporter said, JSON. */
  public byte[] description() {
    return description.clone();
  }

  /** What the image runs. */
  public ImageSubject subject() {
    return manifest.subject();
  }

  /** The zygote that the image was made of; letters, digits and hyphens. */
  public String id() throws ImageException {
    if (!manifest.id().matches("[A-Za-z0-9-]{1,64}")) {
      throw ImageArchive.damaged("is of '" + manifest.id() + "', which is no name of a zygote");
    }
    return manifest.id();
  }

  /**
   * When a file was modified that the image's JVM knows, in nanoseconds since the epoch; -1 if it
   * does not know it.
   */
  public long modifiedNanos(Path file) {
    return manifest.files().stream()
        .filter(traits -> traits.path().equals(file.toString()))
        .mapToLong(FileTraits::modifiedNanos)
        .findFirst()
        .orElse(-1);
  }

  /**
   * Refuses an image that this machine cannot run; its files are not looked at yet.
   *
   * @throws ImageException saying what differs
   */
  public void requireHere() throws ImageException {
    images().requireHere(manifest);
  }

  private static ZygoteImages images() {
    return new ZygoteImages(System::nanoTime, System::currentTimeMillis);
  }

  /** Receives further files. */
  @FunctionalInterface
  public interface Receiver {
    /**
     * Receives one.
     *
     * @param name as the archive has it: whatever its maker liked
     * @param content of this file only
     */
    void receive(String name, InputStream content) throws ImageException, IOException;
  }

  /** Hands over the further files. */
  public void attachments(Receiver receiver) throws ImageException, IOException {
    while (next != null && next.getName().startsWith(ImageArchive.FILES)) {
      String name = next.getName().substring(ImageArchive.FILES.length());
      expect(ImageArchive.FILES + name);
      try (InputStream in = content()) {
        receiver.receive(name, in);
      } catch (Damaged e) {
        throw broken(e);
      }
      next = entry();
    }
  }

  /**
   * Writes the image to a new directory, and checks that it could be restored here and now. It is
   * there whole, or not at all.
   *
   * @param replace whether an image may be there already, which goes when this one has been checked
   * @throws ImageException if it is not what was exported, or says why it cannot be restored here
   * @throws IOException if it cannot be written
   */
  public ImageSummary image(Path directory, boolean replace) throws ImageException, IOException {
    TarArchiveEntry pages = expect(ImageArchive.IMAGE + ImageDirectory.PAGES);
    if (pages.getSize() != manifest.pagesBytes()) {
      throw ImageArchive.damaged(
          "has " + pages.getSize() + " bytes of pages, and not " + manifest.pagesBytes());
    }
    ImageDirectory image = new ImageDirectory(directory);
    try (InputStream in = content()) {
      image.take(
          small,
          in,
          replace,
          unfinished -> {
            requireEnd();
            images().open(unfinished);
          });
    } catch (Damaged e) {
      throw broken(e);
    }
    return image.summary();
  }

  /** What follows is checked by zstd alone, with all that went before. */
  private void requireEnd() throws ImageException {
    try {
      if (tar.getNextEntry() != null) {
        throw ImageArchive.damaged("has more entries than an image has parts");
      }
      tar.transferTo(OutputStream.nullOutputStream());
    } catch (IOException | IllegalArgumentException e) {
      throw broken(e);
    }
  }

  /** The content is not what was written. */
  private static final class Damaged extends IOException {
    private static final long serialVersionUID = 1L;

    Damaged(String message, @Nullable IOException cause) {
      super(message, cause);
    }
  }

  /** Of the entry that comes next; it must be there whole. */
  private InputStream content() {
    return new FilterInputStream(tar) {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        try {
          return in.read(bytes, offset, length);
        } catch (Unreadable e) {
          throw e;
        } catch (IOException e) {
          throw new Damaged(String.valueOf(e.getMessage()), e);
        }
      }

      @Override
      public void close() {
        // The archive goes on behind it.
      }
    };
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }
}
