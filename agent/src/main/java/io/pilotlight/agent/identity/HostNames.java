package io.pilotlight.agent.identity;

import java.lang.reflect.Field;
import java.net.InetAddress;
import java.util.Collection;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and addresses that were looked up in the zygote, this host's among them. */
final class HostNames implements Renewer {
  private final Field localHost;
  private final boolean used;
  private final @Nullable Object cache;
  private final @Nullable Object expiries;

  /**
   * In java/net/InetAddress.java: {@code cachedLocalHost}, {@code cache} by host name, and {@code
   * expirySet} of the same entries by time.
   */
  HostNames(JdkState jdk) throws ReflectiveOperationException {
    localHost = jdk.field(InetAddress.class, "cachedLocalHost");
    cache = jdk.staticValue(InetAddress.class, "cache");
    expiries = jdk.staticValue(InetAddress.class, "expirySet");
    used = jdk.isInitialised(InetAddress.class);
  }

  @Override
  public String subject() {
    return "host names";
  }

  @Override
  public void renew(Entropy entropy) throws IllegalAccessException {
    if (!used) {
      return;
    }
    localHost.set(null, null);
    // Emptying what is empty would write to it, and so copy its page.
    if (cache instanceof Map<?, ?> map && !map.isEmpty()) {
      map.clear();
    }
    if (expiries instanceof Collection<?> set && !set.isEmpty()) {
      set.clear();
    }
  }
}
