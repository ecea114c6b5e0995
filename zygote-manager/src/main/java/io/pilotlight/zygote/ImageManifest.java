package io.pilotlight.zygote;

import io.pilotlight.engine.ForkEngine.Blueprint;
import java.util.List;

/**
 * What an image is, and what it needs.
 *
 * @param format the version of the format
 * @param id the zygote that it was made of
 * @param created when
 * @param subject what it runs; a function's environment is there too, so only its owner may read
 *     this
 * @param jdk the JDK, from its file {@code release}
 * @param blueprint how to make clones of it
 * @param warnings what its build had to say
 * @param host the machine that it was made on
 * @param frozenNanos CLOCK_MONOTONIC of that machine when it was frozen
 * @param files files that its JVM has mapped or opened
 * @param pagesBytes size of its pages' file
 */
record ImageManifest(
    int format,
    String id,
    String created,
    ImageSubject subject,
    String jdk,
    Blueprint blueprint,
    List<String> warnings,
    HostTraits host,
    long frozenNanos,
    List<FileTraits> files,
    long pagesBytes) {
  /** The format that this version reads and writes. */
  static final int FORMAT = 4;

  /** Copies the lists. */
  ImageManifest {
    warnings = List.copyOf(warnings);
    files = List.copyOf(files);
  }
}
