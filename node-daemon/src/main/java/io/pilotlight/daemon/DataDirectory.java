package io.pilotlight.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The directory of one daemon: nobody else may look into it, and no second process may use it while
 * this is open.
 */
public final class DataDirectory implements AutoCloseable {
  private final Path path;
  private final FileChannel lockFile;

  private DataDirectory(Path path, FileChannel lockFile) {
    this.path = path;
    this.lockFile = lockFile;
  }

  /**
   * Makes it if it is not there, and locks it.
   *
   * @throws DaemonException if another process uses it, or it cannot be made
   */
  public static DataDirectory open(Path path) throws DaemonException {
    try {
      Files.createDirectories(path);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
      return lock(path.toRealPath());
    } catch (IOException e) {
      throw new DaemonException(
          "data directory " + path + " cannot be used: " + e + "; name another one with --data", e);
    }
  }

  private static DataDirectory lock(Path path) throws IOException, DaemonException {
    Path file = path.resolve("lock");
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      // Held until the channel is closed, or by the kernel until this process ends.
      FileLock lock = channel.tryLock();
      locked = lock != null;
    } catch (OverlappingFileLockException e) {
      locked = false; // by another daemon in this JVM
    } finally {
      if (!locked) {
        channel.close();
      }
    }
    if (!locked) {
      throw new DaemonException(
          "data directory "
              + path
              + " is in use by another process, most likely a daemon (pid "
              + Files.readString(file, StandardCharsets.UTF_8).strip()
              + "); stop that one, or name another directory with --data");
    }
    channel.truncate(0);
    channel.write(
        ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.UTF_8)));
    return new DataDirectory(path, channel);
  }

  /** Where the definitions of functions are. */
  public Path functions() {
    return path.resolve("functions");
  }

  /** Where their jars are. */
  public Path jars() {
    return path.resolve("jars");
  }

  /** Where the images of their zygotes are. */
  public Path images() {
    return path.resolve("images");
  }

  /** Made on demand: what zygotes of this daemon, and of its predecessors, keep. */
  Path run() throws IOException {
    Path run = path.resolve("run");
    Files.createDirectories(run);
    Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwx------"));
    return run;
  }

  /** Lets the next daemon in. */
  @Override
  public void close() throws IOException {
    lockFile.close();
  }
}
