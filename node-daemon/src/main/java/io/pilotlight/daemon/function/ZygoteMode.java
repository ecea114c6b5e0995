package io.pilotlight.daemon.function;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Where a function's zygote is kept. */
public enum ZygoteMode {
  /** On disk, and in memory too while that is not known to be useless, or is known to pay. */
  AUTO,
  /** In memory, whatever it costs; on disk too, unless it has no image. */
  MEMORY,
  /** On disk only, as soon as its image can be cloned. */
  IMAGE;

  /** As it is spelt in settings. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The mode that is spelt so. */
  static Optional<ZygoteMode> of(String word) {
    return Arrays.stream(values()).filter(mode -> mode.word().equals(word)).findFirst();
  }

  /** Every spelling. */
  static List<String> words() {
    return Arrays.stream(values()).map(ZygoteMode::word).toList();
  }
}
