package io.pilotlight.linux;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What this process runs on, and whether JVMs can be forked there.
 *
 * @param machine the processor architecture, as {@code os.arch} names it
 * @param kernel the kernel's release, like {@code 6.1.0-13-amd64}
 * @param glibc the C library's version, like {@code 2.36}; empty if it is not glibc
 */
public record Platform(String machine, String kernel, String glibc) {
  /** The first kernel with PTRACE_GET_RSEQ_CONFIGURATION (5.13) and MADV_POPULATE_WRITE (5.14). */
  public static final String MINIMUM_KERNEL = "5.14";

  /**
   * The first glibc that registers restartable sequences, and finds its thread control block as
   * newer ones do.
   */
  public static final String MINIMUM_GLIBC = "2.35";

  private static final Pattern MAJOR_MINOR = Pattern.compile("(\\d+)\\.(\\d+).*");

  /** This one. */
  public static Platform current() {
    return new Platform(
        System.getProperty("os.arch", ""), System.getProperty("os.version", ""), glibcVersion());
  }

  private static String glibcVersion() {
    try {
      Function version = NativeLibrary.getProcess().getFunction("gnu_get_libc_version");
      return version.invokeString(new Object[0], false);
    } catch (UnsatisfiedLinkError e) {
      return "";
    }
  }

  /** One sentence for each thing that keeps JVMs from being forked here; empty if nothing does. */
  public List<String> obstacles() {
    List<String> obstacles = new ArrayList<>();
    if (!machine.equals("amd64") && !machine.equals("x86_64")) {
      obstacles.add("The processor is " + machine + "; only x86-64 is supported.");
    }
    if (!atLeast(MINIMUM_KERNEL, kernel)) {
      obstacles.add(
          "The kernel is " + kernel + "; Linux " + MINIMUM_KERNEL + " or later is needed.");
    }
    if (glibc.isEmpty()) {
      obstacles.add("The C library is not glibc; a distribution with glibc is needed.");
    } else if (!atLeast(MINIMUM_GLIBC, glibc)) {
      obstacles.add("glibc is " + glibc + "; " + MINIMUM_GLIBC + " or later is needed.");
    }
    return obstacles;
  }

  /**
   * Compares versions by their first two numbers.
   *
   * @param version anything else may follow; one without two numbers is older than all
   */
  public static boolean atLeast(String minimum, String version) {
    Matcher actual = MAJOR_MINOR.matcher(version);
    Matcher needed = MAJOR_MINOR.matcher(minimum);
    if (!actual.matches() || !needed.matches()) {
      return false;
    }
    int major =
        Integer.compare(Integer.parseInt(actual.group(1)), Integer.parseInt(needed.group(1)));
    int minor =
        Integer.compare(Integer.parseInt(actual.group(2)), Integer.parseInt(needed.group(2)));
    return major > 0 || (major == 0 && minor >= 0);
  }
}
