package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.security.SecureRandom;
import java.util.List;

/**
 * Every {@code SecureRandom} that has a state of its own: SHA1PRNG, DRBG and those of other
 * providers. Fresh bytes are mixed in by {@code setSeed}, which for SHA1PRNG also drops what is
 * left of its last output, and is a reseed for DRBG.
 */
final class SeededGenerators implements Renewer {
  /**
   * More than any of them keeps: SHA1PRNG 20, DRBG at most 111 bytes of state but 32 of entropy.
   */
  private static final int SEED_BYTES = 48;

  private static final String NATIVE = "sun.security.provider.NativePRNG";

  private final SecureRandoms all;
  private final Field spi;

  /** In java/security/SecureRandom.java: {@code secureRandomSpi}, what does the work. */
  SeededGenerators(SecureRandoms all, JdkState jdk) throws ReflectiveOperationException {
    this.all = all;
    this.spi = jdk.field(SecureRandom.class, "secureRandomSpi");
  }

  @Override
  public String subject() {
    return "SecureRandom";
  }

  @Override
  public void renew(Entropy entropy) throws Exception {
    List<SecureRandom> reachable = all.reachable();
    Exception first = null;
    for (int i = 0; i < reachable.size(); i++) {
      SecureRandom random = reachable.get(i);
      try {
        renew(random, entropy);
      } catch (RuntimeException e) {
        // The others are renewed all the same.
        first = first == null ? new IllegalStateException(random.getClass() + ": " + e, e) : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }

  private void renew(SecureRandom random, Entropy entropy) throws Exception {
    Object worker = spi.get(random);
    // A subclass may have no other state than its own, or one that only it knows to reseed.
    if (random.getClass() != SecureRandom.class
        || (worker != null && !worker.getClass().getName().startsWith(NATIVE))) {
      byte[] seed = new byte[SEED_BYTES];
      entropy.fill(seed);
      random.setSeed(seed);
    }
  }
}
