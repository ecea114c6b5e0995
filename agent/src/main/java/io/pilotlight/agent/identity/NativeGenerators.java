package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;

/**
 * The generators of the kernel's bytes. All their objects of one class share a static one, which
 * keeps bytes that it has read ahead, and mixes its output with that of a SHA1PRNG of its own. The
 * bytes are dropped; so is the SHA1PRNG, which is made anew from the kernel's bytes when it is
 * needed.
 */
final class NativeGenerators implements Renewer {
  /**
   * {@code NativePRNG} and its nested {@code Blocking} and {@code NonBlocking}
   * (sun/security/provider/NativePRNG.java): {@code INSTANCE}.
   */
  private static final List<String> CLASSES =
      List.of(
          "sun.security.provider.NativePRNG",
          "sun.security.provider.NativePRNG$Blocking",
          "sun.security.provider.NativePRNG$NonBlocking");

  private final List<Object> instances = new ArrayList<>();
  private final Field buffered;
  private final Field mixRandom;

  /**
   * Looks them up.
   *
   * <p>In sun/security/provider/NativePRNG.java, class RandomIO: {@code buffered}, the number of
   * bytes left of those read ahead; {@code mixRandom}, made when it is null.
   */
  NativeGenerators(JdkState jdk) throws ReflectiveOperationException {
    Class<?> type = jdk.type("sun.security.provider.NativePRNG$RandomIO");
    buffered = jdk.field(type, "buffered");
    mixRandom = jdk.field(type, "mixRandom");
    for (String name : CLASSES) {
      Object instance = jdk.staticValue(jdk.type(name), "INSTANCE");
      if (instance != null) {
        instances.add(instance);
      }
    }
  }

  @Override
  public String subject() {
    return "SecureRandom NativePRNG";
  }

  @Override
  public void renew(Entropy entropy) throws IllegalAccessException {
    for (int i = 0; i < instances.size(); i++) {
      Object instance = instances.get(i);
      mixRandom.set(instance, null);
      buffered.setInt(instance, 0);
    }
  }
}
