package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The JDK's own generators that are not secure, and the counters from which new ones are seeded.
 * Those that a function made are its own to seed; {@link StaticState} tells of them.
 */
final class FastGenerators implements Renewer {
  private final List<AtomicLong> counters = new ArrayList<>();
  private final List<Random> generators = new ArrayList<>();

  /**
   * Looks them up; what this JDK does not have is told in {@code notes}.
   *
   * <ul>
   *   <li>java/util/concurrent/ThreadLocalRandom.java: {@code seeder}
   *   <li>java/util/SplittableRandom.java: {@code defaultGen}
   *   <li>java/util/Random.java: {@code seedUniquifier}
   *   <li>java/lang/Math.java and StrictMath.java, class RandomNumberGeneratorHolder: {@code
   *       randomNumberGenerator}
   *   <li>java/util/Collections.java: {@code r}, which shuffles
   *   <li>jdk/random (17), jdk/internal/random (25), all classes: {@code defaultGen} or {@code
   *       DEFAULT_GEN}
   * </ul>
   */
  FastGenerators(JdkState jdk, List<String> notes) {
    add(jdk, notes, ThreadLocalRandom.class.getName(), "seeder");
    add(jdk, notes, SplittableRandom.class.getName(), "defaultGen");
    add(jdk, notes, Random.class.getName(), "seedUniquifier");
    add(jdk, notes, "java.lang.Math$RandomNumberGeneratorHolder", "randomNumberGenerator");
    add(jdk, notes, "java.lang.StrictMath$RandomNumberGeneratorHolder", "randomNumberGenerator");
    add(jdk, notes, Collections.class.getName(), "r");
    for (Class<?> type : jdk.loadedClasses()) {
      if (isAlgorithm(type)) {
        add(jdk, notes, type, counter(type));
      }
    }
  }

  private static String counter(Class<?> type) {
    for (Field field : type.getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers()) && field.getType() == AtomicLong.class) {
        return field.getName();
      }
    }
    return "defaultGen";
  }

  private static boolean isAlgorithm(Class<?> type) {
    String packageName = type.getPackageName();
    return (packageName.equals("jdk.random") || packageName.equals("jdk.internal.random"))
        && type.getModule().isNamed()
        && java.util.random.RandomGenerator.class.isAssignableFrom(type);
  }

  private void add(JdkState jdk, List<String> notes, String type, String field) {
    try {
      add(jdk, notes, jdk.type(type), field);
    } catch (ClassNotFoundException e) {
      notes.add(Renewal.missing(type + "." + field, e));
    }
  }

  private void add(JdkState jdk, List<String> notes, Class<?> type, String field) {
    try {
      Object value = jdk.staticValue(type, field);
      if (value instanceof AtomicLong counter) {
        counters.add(counter);
      } else if (value instanceof Random generator) {
        generators.add(generator);
      } else if (value != null) {
        notes.add(
            Renewal.missing(
                type.getName() + "." + field, new ClassCastException(value.getClass().getName())));
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      notes.add(Renewal.missing(type.getName() + "." + field, e));
    }
  }

  @Override
  public String subject() {
    return "Math.random and the seeds of new generators";
  }

  @Override
  public void renew(Entropy entropy) throws Exception {
    for (int i = 0; i < counters.size(); i++) {
      counters.get(i).set(entropy.nextLong());
    }
    for (int i = 0; i < generators.size(); i++) {
      generators.get(i).setSeed(entropy.nextLong());
    }
  }
}
