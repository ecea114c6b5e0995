package io.pilotlight.cli.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.slf4j.event.Level;

final class PlainLoggerTest {
  private static final OffsetDateTime TIME =
      OffsetDateTime.of(2026, 3, 4, 5, 6, 7, 8_000_000, ZoneOffset.ofHours(1));

  private final PlainLogger logger =
      (PlainLogger) new PlainLogging().getLoggerFactory().getLogger("a.b.Engine");

  @Test
  void tellsAWarningOnOneLine() {
    assertThat(logger.line(TIME, Level.WARN, "first\r\nsecond", null))
        .isEqualTo("2026-03-04T05:06:07.008+01:00 WARN  Engine: first | second\n");
  }

  @Test
  void tellsTheCause() {
    assertThat(logger.line(TIME, Level.ERROR, "failed", new IOException("disk")))
        .startsWith("2026-03-04T05:06:07.008+01:00 ERROR Engine: failed\njava.io.IOException: disk")
        .contains("PlainLoggerTest.tellsTheCause");
  }

  @Test
  void isSilentBelow() {
    assertThat(logger.isInfoEnabled()).isFalse();
    assertThat(logger.isWarnEnabled()).isTrue();
  }
}
