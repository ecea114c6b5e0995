package io.pilotlight.it.identity;

import java.lang.management.ManagementFactory;
import java.lang.reflect.Field;
import java.security.DrbgParameters;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * A function that has used every kind of generator by the time that it is warm, and gives the next
 * value of each.
 */
public final class Drawing implements Function<String, Map<String, String>> {
  private static final String[] ALGORITHMS = {
    "NativePRNG", "NativePRNGNonBlocking", "NativePRNGBlocking", "SHA1PRNG"
  };
  private static final Map<String, String> READ_AHEAD =
      Map.of(
          "NativePRNG", "sun.security.provider.NativePRNG",
          "NativePRNGBlocking", "sun.security.provider.NativePRNG$Blocking",
          "NativePRNGNonBlocking", "sun.security.provider.NativePRNG$NonBlocking");

  /** Enough for what is drawn of each; they read 256 bytes at once. */
  private static final int LEAST_READ_AHEAD = 240;

  private static final int MOST_READ_AHEAD = 65_536;
  private static final String[] DRBGS = {"Hash_DRBG", "HMAC_DRBG", "CTR_DRBG"};

  private static final String ALGORITHM = "L64X128MixRandom";

  // For the warnings at the freeze.
  static final Random RANDOM = new Random(1);
  static final UUID IDENTIFIER = UUID.nameUUIDFromBytes(new byte[1]);
  static final SplittableRandom SPLITTABLE = new SplittableRandom(1);

  /** A generator that is the function's own class, made by its default constructor. */
  private static final class Own extends SecureRandom {
    private static final long serialVersionUID = 1L;
  }

  // Of the handler, not static.
  final RandomGenerator generator = new Random(1);

  private final Map<String, SecureRandom> secure = new LinkedHashMap<>();
  private final SSLContext tls;
  private final ExecutorService other = Executors.newSingleThreadExecutor(Drawing::daemon);

  /** Makes all the generators. */
  public Drawing() throws GeneralSecurityException {
    for (String algorithm : ALGORITHMS) {
      secure.put(algorithm, SecureRandom.getInstance(algorithm));
    }
    String mechanism = java.security.Security.getProperty("securerandom.drbg.config");
    for (String drbg : DRBGS) {
      java.security.Security.setProperty("securerandom.drbg.config", drbg);
      secure.put(
          drbg,
          SecureRandom.getInstance(
              "DRBG",
              DrbgParameters.instantiation(
                  128, DrbgParameters.Capability.RESEED_ONLY, new byte[] {1})));
    }
    java.security.Security.setProperty(
        "securerandom.drbg.config", mechanism == null ? "" : mechanism);
    secure.put("default", new SecureRandom());
    secure.put("seeded", new SecureRandom(new byte[] {1}));
    SecureRandom seeded = SecureRandom.getInstance("SHA1PRNG");
    seeded.setSeed(1);
    secure.put("seededSha1", seeded);
    secure.put("strong", SecureRandom.getInstanceStrong());
    secure.put("own", new Own());
    tls = SSLContext.getInstance("TLS");
    tls.init(null, null, null);
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "other");
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public Map<String, String> apply(String ignored) {
    try {
      return draw();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private Map<String, String> draw() throws Exception {
    Map<String, String> drawn = new LinkedHashMap<>();
    // First, as long as what NativePRNG has read ahead suffices.
    drawn.put("UUID", UUID.randomUUID().toString());
    drawn.put("TLS", tlsHello());
    for (Map.Entry<String, SecureRandom> entry : secure.entrySet()) {
      drawn.put("SecureRandom " + entry.getKey(), bytes(entry.getValue()));
    }
    drawn.put("new SHA1PRNG", bytes(SecureRandom.getInstance("SHA1PRNG")));
    drawn.put("new DRBG", bytes(SecureRandom.getInstance("DRBG")));
    drawn.put("Math", Double.toHexString(Math.random()));
    drawn.put("StrictMath", Double.toHexString(StrictMath.random()));
    drawn.put("ThreadLocalRandom", Long.toHexString(ThreadLocalRandom.current().nextLong()));
    drawn.put(
        "ThreadLocalRandom of another thread",
        Long.toHexString(
            other.submit(() -> ThreadLocalRandom.current().nextLong()).get(1, TimeUnit.MINUTES)));
    drawn.put("new SplittableRandom", Long.toHexString(new SplittableRandom().nextLong()));
    // JDK 17 has it in a module of the application's loader, where a function does not look.
    if (RandomGeneratorFactory.all().anyMatch(factory -> factory.name().equals(ALGORITHM))) {
      drawn.put("new " + ALGORITHM, Long.toHexString(RandomGenerator.of(ALGORITHM).nextLong()));
    }
    keepReadAhead();
    drawn.put("pid", Long.toString(ProcessHandle.current().pid()));
    drawn.put("alive", Boolean.toString(ProcessHandle.current().isAlive()));
    drawn.put("management", Long.toString(ManagementFactory.getRuntimeMXBean().getPid()));
    drawn.put("name", ManagementFactory.getRuntimeMXBean().getName());
    return drawn;
  }

  /**
   * The kernel's bytes that NativePRNG reads ahead are used for 100 ms. As if the freeze came right
   * after they were read, and the clone's draw within that time: every clone that has not dropped
   * them uses them.
   */
  private void keepReadAhead() throws ReflectiveOperationException {
    for (Map.Entry<String, String> kind : READ_AHEAD.entrySet()) {
      Field shared = Class.forName(kind.getValue()).getDeclaredField("INSTANCE");
      shared.setAccessible(true);
      Object generator = shared.get(null);
      Field lastRead = accessible(generator, "lastRead");
      Field buffered = accessible(generator, "buffered");
      lastRead.setLong(generator, Long.MAX_VALUE / 2);
      // By single bytes down to nothing, and then it reads again.
      byte[] one = new byte[1];
      for (int i = 0; buffered.getInt(generator) < LEAST_READ_AHEAD; i++) {
        if (i > MOST_READ_AHEAD) {
          throw new IllegalStateException(kind.getKey() + " reads no more than that ahead");
        }
        secure.get(kind.getKey()).nextBytes(one);
      }
      lastRead.setLong(generator, Long.MAX_VALUE / 2);
    }
  }

  private static Field accessible(Object generator, String name)
      throws ReflectiveOperationException {
    Field field = generator.getClass().getDeclaredField(name);
    field.setAccessible(true);
    return field;
  }

  private static String bytes(SecureRandom random) {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    return Base64.getEncoder().encodeToString(bytes);
  }

  /** Random and session id of a client's first message. */
  private String tlsHello() throws Exception {
    SSLEngine engine = tls.createSSLEngine("example.invalid", 443);
    engine.setUseClientMode(true);
    java.nio.ByteBuffer message =
        java.nio.ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    engine.wrap(java.nio.ByteBuffer.allocate(0), message);
    // Record header 5, handshake header 4, version 2; then random 32, length 1, session id 32.
    byte[] identity = new byte[65];
    message.get(11, identity);
    return Base64.getEncoder().encodeToString(identity);
  }
}
