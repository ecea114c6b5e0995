package io.pilotlight.cli;

import java.util.Locale;

/** Figures as people read them. */
public final class Units {
  private static final double MIB = 1024.0 * 1024.0;

  private Units() {}

  /** {@code 1.23 ms}: three digits that matter, in the unit that fits. */
  public static String duration(double seconds) {
    if (Double.isNaN(seconds)) {
      return "-";
    }
    if (seconds < 1e-3) {
      return digits(seconds * 1e6) + " us";
    }
    return seconds < 1 ? digits(seconds * 1e3) + " ms" : digits(seconds) + " s";
  }

  /** {@code 12.3 MiB}. */
  public static String mebibytes(long bytes) {
    return bytes <= 0 ? "-" : digits(bytes / MIB) + " MiB";
  }

  private static String digits(double value) {
    int decimals = value < 10 ? 2 : value < 100 ? 1 : 0;
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
