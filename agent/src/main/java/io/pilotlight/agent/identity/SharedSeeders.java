package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * What the JDK seeds new SHA1PRNG and DRBG generators from: two generators that no {@code
 * SecureRandom} is around.
 */
final class SharedSeeders implements Renewer {
  private static final int SEED_BYTES = 48;

  private final @Nullable Object sha1;
  private final Method setSeed;
  private final @Nullable Object drbg;
  private final Field value;
  private final Field constant;

  /**
   * Looks them up.
   *
   * <ul>
   *   <li>sun/security/provider/SecureRandom.java, class SeederHolder: {@code seeder}
   *   <li>sun/security/provider/AbstractDrbg.java, class SeederHolder: {@code seeder}, a lambda
   *       expression that captures a HashDrbg
   *   <li>sun/security/provider/HashDrbg.java: {@code v} and {@code c}, its state by the names of
   *       NIST SP 800-90A 10.1.1; null until it is first used
   * </ul>
   */
  SharedSeeders(JdkState jdk) throws ReflectiveOperationException {
    Class<?> hashDrbg = jdk.type("sun.security.provider.HashDrbg");
    value = jdk.field(hashDrbg, "v");
    constant = jdk.field(hashDrbg, "c");
    setSeed =
        jdk.method(jdk.type("sun.security.provider.SecureRandom"), "engineSetSeed", byte[].class);
    sha1 = jdk.staticValue(jdk.type("sun.security.provider.SecureRandom$SeederHolder"), "seeder");
    Object lambda =
        jdk.staticValue(jdk.type("sun.security.provider.AbstractDrbg$SeederHolder"), "seeder");
    drbg = lambda == null ? null : captured(hashDrbg, lambda);
  }

  private static Object captured(Class<?> type, Object lambda) throws ReflectiveOperationException {
    for (Field field : lambda.getClass().getDeclaredFields()) {
      field.setAccessible(true);
      Object held = field.get(lambda);
      if (type.isInstance(held)) {
        return held;
      }
    }
    throw new NoSuchFieldException(type.getSimpleName() + " in " + lambda.getClass());
  }

  @Override
  public String subject() {
    return "what new SecureRandoms are seeded from";
  }

  @Override
  public void renew(Entropy entropy) throws Exception {
    if (sha1 != null) {
      byte[] seed = new byte[SEED_BYTES];
      entropy.fill(seed);
      JdkState.call(setSeed, sha1, seed);
    }
    if (drbg != null) {
      // Its state is as long as its seed, and random bytes are as good a state as what they are
      // hashed to: a reseed takes many times longer.
      synchronized (drbg) {
        fill(value, drbg, entropy);
        fill(constant, drbg, entropy);
      }
    }
  }

  private static void fill(Field field, Object generator, Entropy entropy) throws Exception {
    if (field.get(generator) instanceof byte[] state) {
      entropy.fill(state);
    }
  }
}
