package io.pilotlight.zygote;

import com.github.luben.zstd.ZstdOutputStream;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * An image as one file that can be shipped: a tar archive, compressed by zstd with its checksum.
 * Its entries are regular files, always these in this order:
 *
 * <pre>
 *   pilotlight.json       what else belongs to it, as whoever exports it says
 *   image/manifest.json   the parts of the image, as they are
 *   image/state.json
 *   image/checksums
 *   files/NAME            further files, by names without a slash
 *   image/pages
 * </pre>
 *
 * Holes of the pages' file are zeros here; they hardly take room when compressed, and are holes
 * again when they are read.
 */
public final class ImageArchive {
  static final String DESCRIPTION = "pilotlight.json";
  static final String IMAGE = "image/";
  static final String FILES = "files/";

  private static final int READABLE_BY_OWNER = 0600;

  private ImageArchive() {}

  /**
   * A file that goes with the image.
   *
   * @param name without a slash
   * @param path where it is
   */
  public record Attachment(String name, Path path) {}

  /**
   * Reads an image whole, checks every byte of it, and writes it.
   *
   * @param image its directory
   * @param description JSON
   * @param attachments what goes with it
   * @param out is not closed
   * @throws ImageException if it is damaged, or of another format
   * @throws IOException if something cannot be read or written
   */
  public static void write(
      Path image, byte[] description, List<Attachment> attachments, OutputStream out)
      throws ImageException, IOException {
    ImageDirectory directory = new ImageDirectory(image);
    directory.read();
    ZstdOutputStream compressed = new ZstdOutputStream(new Borrowed(out));
    compressed.setChecksum(true);
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(compressed)) {
      tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
      begin(tar, DESCRIPTION, description.length);
      tar.write(description);
      tar.closeArchiveEntry();
      for (String part : ImageDirectory.SMALL_PARTS) {
        add(tar, IMAGE + part, image.resolve(part));
      }
      for (Attachment attachment : attachments) {
        add(tar, FILES + attachment.name(), attachment.path());
      }
      add(tar, IMAGE + ImageDirectory.PAGES, directory.pages());
    }
  }

  /** Is closed by its owner. */
  private static final class Borrowed extends FilterOutputStream {
    Borrowed(OutputStream out) {
      super(out);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }

  private static void begin(TarArchiveOutputStream tar, String name, long bytes)
      throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes);
    entry.setMode(READABLE_BY_OWNER);
    tar.putArchiveEntry(entry);
  }

  private static void add(TarArchiveOutputStream tar, String name, Path file) throws IOException {
    begin(tar, name, Files.size(file));
    try (InputStream in = Files.newInputStream(file)) {
      in.transferTo(tar);
    }
    tar.closeArchiveEntry();
  }

  static ImageException damaged(String what) {
    return new ImageException(
        Reason.DAMAGED, "The exported image " + what + ". Export it again, and copy it whole.");
  }
}
