package io.pilotlight.engine;

import io.pilotlight.linux.ProcFs.Mapping;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Looks for native code that is neither the JDK's nor the C library's.
 *
 * <p>MADV_DONTNEED empties anonymous memory, but brings a file's bytes back where a file is mapped,
 * and so an image's. HotSpot never uses it: it maps memory anew when it commits it. glibc uses it
 * for the stacks of threads that have ended and for free parts of its heaps, and takes neither for
 * empty afterwards. Other code may: jemalloc does.
 */
final class ForeignCode {
  private static final Pattern JVM = Pattern.compile("(/.*)/lib/(?:server|client)/libjvm\\.so");

  /** What a JDK needs of the system; libcap comes with libnss_systemd. */
  private static final Pattern SYSTEM =
      Pattern.compile(
          ".*/(?:ld-linux-x86-64|libc|libm|libdl|librt|libpthread|libstdc\\+\\+|libgcc_s|libz|libresolv|libcap"
              + "|libnss_\\w+|libfontconfig|libfreetype|libexpat|libpng16|libbrotli\\w+)[-.][^/]*");

  private ForeignCode() {}

  /**
   * The path of one such library; empty if there is none.
   *
   * @param known files with code that was made from the JDK's
   */
  static Optional<String> find(List<Mapping> mappings, Predicate<Path> known) {
    Optional<String> home =
        mappings.stream()
            .map(mapping -> JVM.matcher(mapping.path()))
            .filter(Matcher::matches)
            .map(matcher -> matcher.group(1) + "/")
            .findFirst();
    return mappings.stream()
        .filter(mapping -> mapping.inode() != 0 && mapping.permissions().charAt(2) == 'x')
        .map(Mapping::path)
        .filter(path -> home.filter(path::startsWith).isEmpty() && !SYSTEM.matcher(path).matches())
        .filter(path -> !known.test(Path.of(path)))
        .findFirst();
  }
}
