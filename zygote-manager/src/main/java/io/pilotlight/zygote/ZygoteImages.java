package io.pilotlight.zygote;

import io.pilotlight.engine.ClockShift;
import io.pilotlight.engine.ForkEngine.Blueprint;
import io.pilotlight.engine.ImageEngine;
import io.pilotlight.engine.ImageState;
import io.pilotlight.engine.Residence;
import io.pilotlight.engine.TimeNamespace;
import io.pilotlight.engine.UnclonableException;
import io.pilotlight.zygote.ImageDirectory.Content;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/** Writes images of zygotes and programs, and checks them before they are restored. Stateless. */
final class ZygoteImages {
  /** Of the flags of open(2), those that are 0 if the file is only read. */
  private static final int O_ACCMODE = 3;

  private final LongSupplier nanoTime;
  private final LongSupplier epochMillis;

  /**
   * With the clocks.
   *
   * @param nanoTime CLOCK_MONOTONIC
   */
  ZygoteImages(LongSupplier nanoTime, LongSupplier epochMillis) {
    this.nanoTime = nanoTime;
    this.epochMillis = epochMillis;
  }

  /**
   * Writes an image; the zygote may make clones meanwhile.
   *
   * @param directory is made
   */
  ImageSummary write(ZygoteRecord zygote, Path directory) throws ImageException {
    return write(
        new Original(
            zygote.id(),
            zygote.pid(),
            zygote.spec(),
            zygote.blueprint(),
            zygote.residence(),
            zygote.warnings()),
        directory);
  }

  /**
   * What an image is made of: a process that is a fork server, or stands frozen as one.
   *
   * @param id the image's name for it
   * @param pid the process
   * @param subject what it runs
   * @param blueprint how to make clones of it
   * @param residence what its memory does not show
   * @param warnings what people should know of it
   */
  record Original(
      String id,
      int pid,
      ImageSubject subject,
      Blueprint blueprint,
      Residence residence,
      List<String> warnings) {}

  /** Writes an image of anything. */
  ImageSummary write(Original original, Path directory) throws ImageException {
    try {
      ImageDirectory image = new ImageDirectory(directory);
      image.write(pages -> dump(original, pages));
      return image.summary();
    } catch (IOException e) {
      throw new ImageException(
          Reason.SYSTEM,
          "An image of " + original.id() + " cannot be written to " + directory + ": " + e,
          e);
    }
  }

  private Content dump(Original original, FileChannel pages) throws IOException, ImageException {
    ImageState state;
    try {
      state =
          ImageEngine.dump(original.pid(), original.residence(), pages, ImageDirectory::holdsPages);
    } catch (UnclonableException e) {
      throw new ImageException(
          Reason.UNSUPPORTED, original.id() + " has no image: " + e.getMessage(), e);
    }
    List<FileTraits> files = new ArrayList<>();
    Path root = Path.of("/proc/" + original.pid() + "/root");
    for (String file : usedFiles(state, root)) {
      requireShared(original, file, root);
      files.add(FileTraits.of(file));
    }
    ImageManifest manifest =
        new ImageManifest(
            ImageManifest.FORMAT,
            original.id(),
            Instant.ofEpochMilli(epochMillis.getAsLong()).toString(),
            original.subject(),
            jdk(original.subject().javaHome()),
            original.blueprint(),
            original.warnings(),
            HostTraits.current(),
            original.residence().frozenNanos(),
            files,
            pages.size());
    return new Content(manifest, state);
  }

  private static Set<String> usedFiles(ImageState state, Path root) {
    Set<String> used = new TreeSet<>(state.files());
    state.residence().descriptors().stream()
        .filter(kept -> kept.kind() == Residence.KeptDescriptor.Kind.REPLACED)
        // What it writes to changes, and may.
        .filter(kept -> (kept.flags() & O_ACCMODE) == 0)
        .map(Residence.KeptDescriptor::target)
        .filter(path -> path.startsWith("/") && Files.isRegularFile(in(root, path)))
        .forEach(used::add);
    return used;
  }

  private static Path in(Path root, String path) {
    return Path.of(root + path);
  }

  /** What only the zygote's own mounts hold is in no other process's. */
  private static void requireShared(Original original, String file, Path root)
      throws IOException, ImageException {
    boolean shared;
    try {
      shared = Files.isSameFile(in(root, file), Path.of(file));
    } catch (NoSuchFileException e) {
      shared = false;
    }
    if (!shared) {
      throw new ImageException(
          Reason.UNSUPPORTED,
          original.id()
              + " has no image: it uses the file "
              + file
              + ", which lies in the private mounts of its isolation. Close it before the freeze, or"
              + " deploy with --no-image.");
    }
  }

  /** Its files are looked at, too; this says in a word which other JDK is there. */
  private static void requireJdk(ImageManifest manifest) throws ImageException {
    Path home = manifest.subject().javaHome();
    String here;
    try {
      here = jdk(home);
    } catch (IOException e) {
      throw new ImageException(
          Reason.FILE,
          "Its JVM is of the JDK at "
              + home
              + ", which cannot be read here: "
              + e
              + ". The same build must be at the same path.",
          e);
    }
    if (!here.equals(manifest.jdk())) {
      throw new ImageException(
          Reason.FILE,
          "Its JVM is of another build of the JDK than there is at "
              + home
              + ": of "
              + manifest.jdk()
              + ", and here is "
              + here
              + ".");
    }
  }

  private static String jdk(Path home) throws IOException {
    return String.join(" ", Files.readAllLines(home.resolve("release"))).strip();
  }

  /**
   * Reads an image and checks that it can be restored here and now.
   *
   * @throws ImageException saying why not
   */
  Content open(Path directory) throws ImageException {
    return open(new ImageDirectory(directory));
  }

  /** The same. */
  Content open(ImageDirectory image) throws ImageException {
    Content content = image.read();
    requireHere(content.manifest());
    requireClocks(content.state());
    for (FileTraits file : content.manifest().files()) {
      file.require();
    }
    return content;
  }

  /**
   * The same for an image that is restored once: what the kernel has not seen changed since the
   * image was written is not read again.
   *
   * @throws ImageException as for {@link #open}
   */
  Content openTrusting(Path directory) throws ImageException {
    ImageDirectory image = new ImageDirectory(directory);
    Content content = image.readTrusting();
    requireHere(content.manifest());
    requireClocks(content.state());
    FileTime finished = image.finished();
    for (FileTraits file : content.manifest().files()) {
      file.requireSince(finished);
    }
    return content;
  }

  /** Whether this machine, with the JDK that it has, can run it. */
  void requireHere(ImageManifest manifest) throws ImageException {
    requireJdk(manifest);
    try {
      manifest.host().require(HostTraits.current());
    } catch (IOException e) {
      throw new ImageException(Reason.SYSTEM, "What this machine is cannot be found out: " + e, e);
    }
  }

  /** Whether its clocks can go on, at this moment. */
  private void requireClocks(ImageState state) throws ImageException {
    ClockShift shift;
    try {
      shift = ClockShift.forward(state.residence(), new ClockReader(nanoTime).now());
    } catch (IOException e) {
      throw new ImageException(
          Reason.SYSTEM, "What this machine's clocks say cannot be found out: " + e, e);
    }
    if (!shift.isNone() && !TimeNamespace.supported()) {
      throw new ImageException(
          Reason.CLOCK,
          "Its JVM's clocks are "
              + shift
              + " ahead of this machine's, and this kernel has no time namespaces: they would go"
              + " backwards, and every wait with a deadline last too long. Deploy the function again,"
              + " or restore it later.");
    }
  }
}
