package io.pilotlight.zygote;

import io.pilotlight.linux.CachedFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The images of one data directory, each in a directory of its own. Thread-safe. */
public final class ImageStore {
  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);

  private final Path directory;

  /** Of a directory that need not exist yet. */
  public ImageStore(Path directory) {
    this.directory = directory;
  }

  /** Makes the directory, for its owner only, and removes what a crash left half written. */
  public void open() throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    for (Path unfinished : entries("*" + ImageDirectory.UNFINISHED_SUFFIX)) {
      remove(unfinished);
    }
  }

  private List<Path> entries(String glob) throws IOException {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, glob)) {
        entries.forEach(found::add);
      }
    }
    found.sort(null);
    return found;
  }

  /** Where the image of a zygote is, or would be. */
  public Path of(String zygote) {
    return directory.resolve(zygote);
  }

  /** All images, whole or damaged, by name. */
  public List<Path> images() throws IOException {
    List<Path> images = new ArrayList<>(entries("z-*"));
    images.removeIf(path -> path.toString().endsWith(ImageDirectory.UNFINISHED_SUFFIX));
    return images;
  }

  /**
   * What an image says of itself; its content is not looked at.
   *
   * @throws ImageException if it is of another format, or damaged so far that it cannot say
   */
  public static ImageSummary summary(Path image) throws ImageException {
    return new ImageDirectory(image).summary();
  }

  /**
   * Reads all of an image and checks that it could be restored here and now.
   *
   * @throws ImageException saying why not
   */
  public static void verify(Path image) throws ImageException {
    new ZygoteImages(System::nanoTime, System::currentTimeMillis).open(image);
  }

  /**
   * Has the kernel drop an image from the page cache, as if nobody had used it for long: for those
   * who measure. What processes have mapped of it stays.
   */
  public static void dropFromPageCache(Path image) throws IOException {
    try (CachedFile pages = CachedFile.open(new ImageDirectory(image).pages())) {
      pages.drop();
    }
  }

  /** The images of a function of exactly this version; those that cannot say are left out. */
  public List<ImageSummary> of(FunctionSpec function) throws IOException {
    List<ImageSummary> found = new ArrayList<>();
    for (Path image : images()) {
      try {
        ImageSummary summary = summary(image);
        if (summary.subject().equals(function)) {
          found.add(summary);
        }
      } catch (ImageException e) {
        LOG.debug("image {} does not say what it is", image, e);
      }
    }
    return found;
  }

  /**
   * What an image takes of the disk.
   *
   * @throws IOException also if it has gone meanwhile
   */
  public long storedBytes(Path image) throws IOException {
    return new ImageDirectory(image).storedBytes();
  }

  /**
   * The order in which images are dispensable: first those that take much of the disk and have not
   * been used for long. An image that is used is worth its bytes, however many.
   *
   * @param epochMillis now
   */
  public static Comparator<ImageSummary> leastValuableFirst(long epochMillis) {
    return Comparator.comparingDouble(
            (ImageSummary image) ->
                -(double) image.storedBytes() * Math.max(1, epochMillis - image.usedEpochMillis()))
        .thenComparing(ImageSummary::zygote);
  }

  /** Notes that clones of an image were made just now. */
  public void used(Path image, long epochMillis) throws IOException {
    new ImageDirectory(image).used(epochMillis);
  }

  /** Removes an image; processes that have its pages mapped keep them. */
  public void remove(Path image) throws IOException {
    new ImageDirectory(image).delete();
  }
}
