package io.pilotlight.zygote;

import io.pilotlight.engine.Isolation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Makes zygotes and cold JVMs, and finds those of an earlier daemon. There is one in a daemon.
 * Thread-safe.
 */
public interface ZygoteHost extends AutoCloseable {

  /**
   * Starts a JVM, initialises and warms the function, and freezes it. Blocks; takes seconds.
   *
   * @param spec the function
   * @param warmup its warm-up calls
   * @param initTimeout how long start and initialisation may take
   * @param progress is told how far it is
   * @throws BuildException naming whose fault it is; nothing of the JVM is left then
   * @throws InterruptedException if the calling thread is interrupted; nothing of the JVM is left
   *     then
   */
  Zygote build(FunctionSpec spec, Warmup warmup, Duration initTimeout, BuildProgress progress)
      throws BuildException, InterruptedException;

  /**
   * Writes an image of a zygote, which may make clones meanwhile. Takes about as long as writing
   * its memory to disk does.
   *
   * @param zygote one of this host, of the kind MEMORY
   * @param directory is made; whole or not at all
   * @return what was written
   * @throws ImageException if the zygote holds what no image can, or a step failed
   */
  ImageSummary writeImage(Zygote zygote, Path directory) throws ImageException;

  /**
   * Records what first calls read of an image, by calls with the warm-up's payloads in clones of
   * it, and stores it with the image. {@link #restore} then knows what to read ahead when the image
   * is not in the page cache. Nothing else may use the image meanwhile; it is dropped from the page
   * cache for each call. Without payloads, or if a step fails, nothing is stored.
   *
   * @param directory an image that was written here
   * @throws InterruptedException if the calling thread is interrupted
   */
  void rehearse(Path directory, Warmup warmup) throws InterruptedException;

  /**
   * Makes a zygote of an image, without running any of the function's code. Takes some ten
   * milliseconds, most of them to check the image; what its clones touch is read from it later.
   *
   * @param directory an image
   * @param replay whether what first calls read of it is read ahead of them where it is known
   * @return of the kind IMAGE
   * @throws ImageException saying why it cannot be used here and now
   * @throws InterruptedException if the calling thread is interrupted; nothing is left then
   */
  Zygote restore(Path directory, boolean replay) throws ImageException, InterruptedException;

  /**
   * Starts a JVM that has initialised the function and waits for its first invocation. Blocks for
   * as long as a cold start takes.
   *
   * @throws BuildException as for {@link #build}
   * @throws InterruptedException if the calling thread is interrupted; nothing of the JVM is left
   *     then
   */
  FunctionJvm startCold(FunctionSpec spec, Duration initTimeout)
      throws BuildException, InterruptedException;

  /**
   * What keeps functions from being isolated so on this machine, and what to do about it.
   *
   * @return empty if nothing does
   */
  default Optional<String> obstacle(Isolation level) {
    return Optional.empty();
  }

  /**
   * Called once, before anything else: takes over the zygotes that an earlier daemon left on this
   * data directory, ends every other process that it left, and removes its files.
   *
   * @return what was found, for the log and for the functions that they serve
   */
  Adoption adopt();

  /**
   * What an earlier daemon left.
   *
   * @param zygotes taken over, ready to be forked
   * @param ended one sentence for each process that was ended instead, saying which and why
   */
  record Adoption(List<Zygote> zygotes, List<String> ended) {}

  /**
   * Ends every process this host started or adopted, zygotes too, waits until they are gone, and
   * removes its files.
   */
  @Override
  void close();
}
