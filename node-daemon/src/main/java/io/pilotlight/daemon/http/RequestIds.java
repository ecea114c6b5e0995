package io.pilotlight.daemon.http;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Names for requests. They are no secrets: {@link UUID#randomUUID} would make all requests queue
 * for the one lock of the platform's secure random.
 */
final class RequestIds {
  private static final long VERSION_MASK = 0xffff_ffff_ffff_0fffL;
  private static final long VERSION_4 = 0x4000L;
  private static final long VARIANT_MASK = 0x3fff_ffff_ffff_ffffL;
  private static final long VARIANT_2 = 0x8000_0000_0000_0000L;

  private RequestIds() {}

  static String next() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    return new UUID(
            (random.nextLong() & VERSION_MASK) | VERSION_4,
            (random.nextLong() & VARIANT_MASK) | VARIANT_2)
        .toString();
  }
}
