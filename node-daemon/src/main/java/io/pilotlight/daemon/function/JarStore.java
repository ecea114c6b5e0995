package io.pilotlight.daemon.function;

import io.pilotlight.zygote.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies of deployed jars under the hash of their content, so that a source that is rewritten or
 * removed never reaches a JVM that runs from it. A jar that several functions use is there once,
 * and is removed when its last user lets go of it. Thread-safe.
 */
public final class JarStore {
  private static final Logger log = LoggerFactory.getLogger(JarStore.class);

  /**
   * When every stored jar was modified, as far as JVMs can see. A jar is known by its content: so
   * it is the same file for an image that comes from another machine.
   */
  private static final FileTime STORED = FileTime.from(Instant.parse("1980-01-01T00:00:00Z"));

  private final DurableFiles files;
  private final Map<String, Integer> users = new HashMap<>();

  /** Keeps its jars in {@code directory}. */
  public JarStore(Path directory) throws IOException {
    files = new DurableFiles(directory);
  }

  /**
   * Copies jars into the store and holds them; the caller releases them one day.
   *
   * @param field names the request's field in messages
   * @throws InvalidFieldException if one is missing, unreadable, or no jar; none is held then
   * @throws IOException if the store cannot be written
   */
  List<StoredJar> add(String field, List<Path> sources) throws InvalidFieldException, IOException {
    List<StoredJar> jars = new ArrayList<>();
    boolean complete = false;
    try {
      for (Path source : sources) {
        jars.add(add(field, source));
      }
      complete = true;
      return jars;
    } finally {
      if (!complete) {
        release(jars);
      }
    }
  }

  private synchronized StoredJar add(String field, Path source)
      throws InvalidFieldException, IOException {
    if (!Files.isRegularFile(source) || !Files.isReadable(source)) {
      throw new InvalidFieldException(
          field,
          "field '"
              + field
              + "' names "
              + source
              + ", which "
              + (Files.exists(source) ? "is not a readable file" : "does not exist")
              + "; give the absolute path of a jar on this machine");
    }
    Path copy = files.temporary();
    try {
      String sha256;
      try (InputStream in = Files.newInputStream(source)) {
        sha256 = copy(in, copy);
      }
      checkIsJar(field, source, copy);
      String name = sha256 + ".jar";
      Path stored = files.directory().resolve(name);
      if (!Files.exists(stored)) {
        publish(copy, name, STORED);
      }
      users.merge(sha256, 1, Integer::sum);
      return new StoredJar(source, sha256, Files.size(stored), stored);
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private void publish(Path copy, String name, FileTime modified) throws IOException {
    Files.setLastModifiedTime(copy, modified);
    // Isolated functions may run as another user; the directory lets nobody else in.
    Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-r--r--"));
    files.publish(copy, name);
  }

  /**
   * Takes in a jar that comes with an image. Nobody holds it yet.
   *
   * @param modifiedNanos when it was modified as the image's JVM knows it, since the epoch; -1 if
   *     it does not know
   * @return whether it was not there before
   * @throws ConflictException if it is there, and the image's JVM would take it for another one
   * @throws ImageException if its content is another one
   * @throws IOException if the store cannot be written
   */
  synchronized boolean receive(String sha256, long modifiedNanos, InputStream content)
      throws ConflictException, ImageException, IOException {
    FileTime modified =
        modifiedNanos < 0 ? STORED : FileTime.from(modifiedNanos, TimeUnit.NANOSECONDS);
    Path copy = files.temporary();
    try {
      String found = copy(content, copy);
      if (!found.equals(sha256)) {
        throw new ImageException(
            ImageException.Reason.DAMAGED,
            "The exported image has a jar of SHA-256 " + found + " where " + sha256 + " should be");
      }
      Path stored = path(sha256);
      if (!Files.exists(stored)) {
        publish(copy, stored.getFileName().toString(), modified);
        return true;
      }
      FileTime here = Files.getLastModifiedTime(stored);
      if (modifiedNanos >= 0 && !here.equals(modified)) {
        throw new ConflictException(
            "jar "
                + stored
                + " is in use by another function here, and was stored at "
                + here
                + "; the image knows it as of "
                + modified
                + ". Remove the functions that use it, or deploy instead of importing");
      }
      return false;
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  /** Removes a jar that {@link #receive} has taken in. */
  synchronized void giveBack(String sha256) {
    if (!users.containsKey(sha256)) {
      delete(path(sha256));
    }
  }

  private static String copy(InputStream in, Path target) throws IOException {
    MessageDigest digest = sha256();
    try (OutputStream out = new DigestOutputStream(Files.newOutputStream(target), digest)) {
      in.transferTo(out);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void checkIsJar(String field, Path source, Path copy)
      throws InvalidFieldException, IOException {
    try {
      new ZipFile(copy.toFile()).close();
    } catch (ZipException e) {
      throw new InvalidFieldException(
          field,
          "field '"
              + field
              + "' names "
              + source
              + ", which is not a jar: "
              + e.getMessage()
              + "; give a file that `jar tf` can list");
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** The path of a jar by its hash, whether it is there or not. */
  Path path(String sha256) {
    return files.directory().resolve(sha256 + ".jar");
  }

  /** Holds jars of a stored definition. */
  synchronized void hold(List<StoredJar> jars) {
    jars.forEach(jar -> users.merge(jar.sha256(), 1, Integer::sum));
  }

  /** Lets go of jars, and removes those that nobody holds any more. */
  synchronized void release(List<StoredJar> jars) {
    for (StoredJar jar : jars) {
      if (users.merge(jar.sha256(), -1, Integer::sum) <= 0) {
        users.remove(jar.sha256());
        delete(jar.path());
      }
    }
  }

  /** Removes every jar that nobody holds. */
  synchronized void removeUnheld() throws IOException {
    try (var stored = Files.newDirectoryStream(files.directory(), "*.jar")) {
      for (Path path : stored) {
        String name = path.getFileName().toString();
        if (!users.containsKey(name.substring(0, name.length() - ".jar".length()))) {
          delete(path);
        }
      }
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.atWarn().addKeyValue("path", path).addKeyValue("cause", e).log("unused jar not removed");
    }
  }
}
