package io.pilotlight.zygote;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import io.pilotlight.descriptor.DescriptorPolicy;
import io.pilotlight.descriptor.PolicyException;
import io.pilotlight.engine.ImageState;
import io.pilotlight.linux.FileBlocks;
import io.pilotlight.recorder.ImageSet;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one image, in a directory of its own:
 *
 * <pre>
 *   manifest.json  what it is and what it needs
 *   state.json     areas of memory, descriptors, signal actions, the leader
 *   pages          the content of the areas, to be mapped
 *   checksums      CRC-32C, size and name of each of the others
 *   workingset     what first calls touch; not a part of it: it may be missing
 * </pre>
 *
 * It is written under another name, synced, and renamed: what has its name is whole. It is never
 * changed afterwards, as its clones have its pages mapped; only the working set comes later.
 */
final class ImageDirectory {
  private static final Logger LOG = LoggerFactory.getLogger(ImageDirectory.class);

  static final String MANIFEST = "manifest.json";
  private static final String STATE = "state.json";
  static final String PAGES = "pages";
  private static final String CHECKSUMS = "checksums";
  private static final String WORKING_SET = "workingset";

  /** All but the pages. */
  static final List<String> SMALL_PARTS = List.of(MANIFEST, STATE, CHECKSUMS);

  /** In the order in which they are checked: the small ones first. */
  private static final List<String> PARTS = List.of(MANIFEST, STATE, PAGES);

  /** What a directory is called while it is written. */
  static final String UNFINISHED_SUFFIX = ".new";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .registerModule(
              new SimpleModule()
                  .addSerializer(DescriptorPolicy.class, new PolicyWriter())
                  .addDeserializer(DescriptorPolicy.class, new PolicyReader()));

  /** Policies have a format of their own. */
  private static final class PolicyWriter extends JsonSerializer<DescriptorPolicy> {
    @Override
    public void serialize(DescriptorPolicy policy, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeString(policy.text());
    }
  }

  /** Reads what {@link PolicyWriter} writes. */
  private static final class PolicyReader extends JsonDeserializer<DescriptorPolicy> {
    @Override
    public DescriptorPolicy deserialize(JsonParser in, DeserializationContext context)
        throws IOException {
      try {
        return DescriptorPolicy.parse(in.getText());
      } catch (PolicyException e) {
        throw new JsonMappingException(in, String.valueOf(e.getMessage()), e);
      }
    }
  }

  private final Path path;

  ImageDirectory(Path path) {
    this.path = path;
  }

  /** Its content but for the pages. */
  record Content(ImageManifest manifest, ImageState state) {
    /** The same, but its pages are read from disk one at a time. */
    Content readSingly() {
      return new Content(manifest, state.readSingly());
    }
  }

  /** The file that holds its pages. */
  Path pages() {
    return path.resolve(PAGES);
  }

  /** Stores what first calls touch, whole or not at all. */
  void workingSet(ImageSet set) throws IOException {
    Path unfinished = path.resolve(WORKING_SET + UNFINISHED_SUFFIX);
    Files.deleteIfExists(unfinished);
    write(unfinished, set.encode());
    Files.move(unfinished, path.resolve(WORKING_SET), StandardCopyOption.ATOMIC_MOVE);
  }

  /** What first calls touch; nothing if that was not recorded, or cannot be read. */
  ImageSet workingSet() {
    try {
      return ImageSet.decode(Files.readAllBytes(path.resolve(WORKING_SET)));
    } catch (NoSuchFileException e) {
      return ImageSet.NONE;
    } catch (IOException e) {
      LOG.warn("{}the working set is not used: {}", describe(), e.toString());
      return ImageSet.NONE;
    }
  }

  /** Whether a file is the pages' file of an image. */
  static boolean holdsPages(Path file) {
    return file.endsWith(PAGES)
        && Files.isRegularFile(file.resolveSibling(MANIFEST))
        && Files.isRegularFile(file.resolveSibling(CHECKSUMS));
  }

  /** Writes the pages into an empty file, and says what else there is. */
  @FunctionalInterface
  interface Source {
    /** Does it. */
    Content write(FileChannel pages) throws IOException, ImageException;
  }

  /** Writes an image whole, or leaves nothing. */
  void write(Source source) throws IOException, ImageException {
    publish(
        false,
        unfinished -> {
          Content content;
          try (FileChannel pages = create(unfinished.resolve(PAGES))) {
            content = source.write(pages);
            pages.force(true);
          }
          write(unfinished.resolve(MANIFEST), JSON.writeValueAsBytes(content.manifest()));
          write(unfinished.resolve(STATE), JSON.writeValueAsBytes(content.state()));
          write(unfinished.resolve(CHECKSUMS), checksums(unfinished).getBytes(UTF_8));
        });
  }

  /**
   * Takes in an image that was written elsewhere: whole, or leaves nothing.
   *
   * @param small its parts but for the pages, by name
   * @param pages the content of its pages' file
   * @param replace whether an image that is there already goes when this one is whole
   * @param check looks at it before it gets its name
   */
  void take(Map<String, byte[]> small, InputStream pages, boolean replace, Check check)
      throws IOException, ImageException {
    publish(
        replace,
        unfinished -> {
          for (String part : SMALL_PARTS) {
            write(unfinished.resolve(part), Objects.requireNonNull(small.get(part), part));
          }
          try (FileChannel channel = create(unfinished.resolve(PAGES))) {
            SparseFile.write(pages, channel);
            channel.force(true);
          }
          check.check(new ImageDirectory(unfinished));
        });
  }

  /** Refuses an image. */
  @FunctionalInterface
  interface Check {
    /** Does it, by its exception. */
    void check(ImageDirectory image) throws ImageException;
  }

  /** Writes the files of an image into an empty directory. */
  @FunctionalInterface
  private interface Filler {
    void fill(Path unfinished) throws IOException, ImageException;
  }

  private void publish(boolean replace, Filler filler) throws IOException, ImageException {
    Path unfinished = path.resolveSibling(path.getFileName() + UNFINISHED_SUFFIX);
    delete(unfinished);
    Files.createDirectory(unfinished, permissions("rwx------"));
    boolean done = false;
    try {
      filler.fill(unfinished);
      sync(unfinished);
      if (replace) {
        delete(path);
      }
      Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE);
      sync(path.resolveSibling(""));
      done = true;
    } finally {
      if (!done) {
        delete(unfinished);
      }
    }
  }

  private static FileAttribute<?> permissions(String text) {
    return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
  }

  private static FileChannel create(Path file) throws IOException {
    return FileChannel.open(
        file,
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.READ),
        permissions("rw-------"));
  }

  private static void write(Path file, byte[] bytes) throws IOException {
    try (FileChannel channel = create(file)) {
      for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
        channel.write(rest);
      }
      channel.force(true);
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** A line for each part. */
  static String checksums(Path directory) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (String part : PARTS) {
      lines.append(checksumLine(directory, part));
    }
    return lines.toString();
  }

  private static String checksumLine(Path directory, String part) throws IOException {
    try (FileChannel channel = FileChannel.open(directory.resolve(part), StandardOpenOption.READ)) {
      return FileTraits.checksum(channel) + " " + channel.size() + " " + part + "\n";
    }
  }

  /**
   * Reads it and checks that every byte is what was written.
   *
   * @throws ImageException with FORMAT or DAMAGED, naming the part
   */
  Content read() throws ImageException {
    return read(false);
  }

  /**
   * The same, but pages that the kernel has not seen changed since their checksum was written are
   * taken for what was written. Nobody can set the time of that change (ctime, see inode(7)). What
   * goes wrong below the file system is found by {@link #read} only.
   *
   * @throws ImageException as for {@link #read}
   */
  Content readTrusting() throws ImageException {
    return read(true);
  }

  /** When the kernel saw it finished. */
  FileTime finished() throws ImageException {
    try {
      return changed(CHECKSUMS);
    } catch (IOException e) {
      throw unreadable(CHECKSUMS, e);
    }
  }

  private FileTime changed(String part) throws IOException {
    return (FileTime) Files.getAttribute(path.resolve(part), "unix:ctime");
  }

  /** The line that was written, if it need not be computed again. */
  private Optional<String> trustedLine(String part, String expected) throws IOException {
    if (changed(part).compareTo(changed(CHECKSUMS)) > 0) {
      return Optional.empty();
    }
    String end = " " + Files.size(path.resolve(part)) + " " + part;
    return expected.lines().filter(line -> line.endsWith(end)).map(line -> line + "\n").findFirst();
  }

  private String line(String part, String expected, boolean trusting) throws IOException {
    Optional<String> trusted =
        trusting && part.equals(PAGES) ? trustedLine(part, expected) : Optional.empty();
    return trusted.isPresent() ? trusted.get() : checksumLine(path, part);
  }

  private Content read(boolean trusting) throws ImageException {
    requireFormat(part(MANIFEST));
    String expected = part(CHECKSUMS);
    String found = "";
    for (String part : PARTS) {
      try {
        found += line(part, expected, trusting);
      } catch (IOException e) {
        throw unreadable(part, e);
      }
      if (!expected.startsWith(found)) {
        throw damaged(part + " is not what was written, or " + CHECKSUMS + " is not");
      }
    }
    if (!expected.equals(found)) {
      throw damaged(CHECKSUMS + " has more lines than the image has parts");
    }
    return new Content(parse(MANIFEST, ImageManifest.class), parse(STATE, ImageState.class));
  }

  /** What its manifest says, unchecked but for the format: for a list of images. */
  ImageSummary summary() throws ImageException {
    requireFormat(part(MANIFEST));
    ImageManifest manifest = parse(MANIFEST, ImageManifest.class);
    try {
      return new ImageSummary(
          path,
          manifest.id(),
          manifest.created(),
          manifest.subject(),
          bytes(),
          storedBytes(),
          Files.getLastModifiedTime(path).toMillis());
    } catch (IOException e) {
      throw unreadable(PAGES, e);
    }
  }

  /** Before everything else: another format may have other parts and other checksums. */
  private void requireFormat(String manifest) throws ImageException {
    JsonNode format;
    try {
      format = JSON.readTree(manifest).path("format");
    } catch (JsonProcessingException e) {
      throw new ImageException(Reason.DAMAGED, describe() + MANIFEST + " is no JSON.", e);
    }
    if (!format.isInt() || format.intValue() != ImageManifest.FORMAT) {
      throw new ImageException(
          Reason.FORMAT,
          describe()
              + "it has format "
              + (format.isMissingNode() ? "none" : format)
              + ", and this version of Pilotlight reads "
              + ImageManifest.FORMAT
              + ". Deploy the function again.");
    }
  }

  /**
   * Reads the manifest of an image that is elsewhere, unchecked but for the format.
   *
   * @param text the content of its file
   */
  ImageManifest manifest(byte[] text) throws ImageException {
    String manifest = new String(text, UTF_8);
    requireFormat(manifest);
    return parse(MANIFEST, manifest, ImageManifest.class);
  }

  private <T> T parse(String part, Class<T> type) throws ImageException {
    return parse(part, part(part), type);
  }

  private <T> T parse(String part, String text, Class<T> type) throws ImageException {
    try {
      return JSON.readValue(text, type);
    } catch (JsonProcessingException | RuntimeException e) {
      throw new ImageException(
          Reason.DAMAGED, describe() + part + " does not hold what it should: " + e, e);
    }
  }

  private String part(String name) throws ImageException {
    try {
      return new String(Files.readAllBytes(path.resolve(name)), UTF_8);
    } catch (IOException e) {
      throw unreadable(name, e);
    }
  }

  private ImageException unreadable(String part, IOException e) {
    String how = e instanceof NoSuchFileException ? " is missing" : " cannot be read: " + e;
    return new ImageException(Reason.DAMAGED, describe() + part + how + ".", e);
  }

  private ImageException damaged(String what) {
    return new ImageException(
        Reason.DAMAGED, describe() + what + ". Remove the image, or deploy the function again.");
  }

  private String describe() {
    return "Image " + path + ": ";
  }

  private long bytes() throws IOException {
    long sum = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      for (Path file : files) {
        sum += Files.size(file);
      }
    }
    return sum;
  }

  /** What it takes of the disk. */
  long storedBytes() throws IOException {
    long sum = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      for (Path file : files) {
        sum += FileBlocks.allocatedBytes(file);
      }
    }
    return sum;
  }

  /**
   * Notes that clones of it were made just now. Its files never change; the time is that of the
   * directory.
   */
  void used(long epochMillis) throws IOException {
    Files.setLastModifiedTime(path, FileTime.fromMillis(epochMillis));
  }

  /** Removes it; clones that have its pages mapped keep them. */
  void delete() throws IOException {
    delete(path);
  }

  private static void delete(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    } catch (NoSuchFileException e) {
      return;
    }
    Files.deleteIfExists(directory);
  }
}
