package io.pilotlight.agent.identity;

import java.lang.ref.WeakReference;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Every {@code SecureRandom} that was created since the agent was loaded and is still reachable, by
 * whomever it was created and wherever it is held. Thread-safe.
 */
final class SecureRandoms implements Consumer<Object> {
  private static final int FIRST_PURGE = 64;

  private final List<WeakReference<SecureRandom>> references = new ArrayList<>();
  private int purgeAt = FIRST_PURGE;

  /** Called from inside the constructor: what is handed over is not usable yet. */
  @Override
  public synchronized void accept(Object created) {
    if (references.size() >= purgeAt) {
      references.removeIf(reference -> reference.refersTo(null));
      purgeAt = Math.max(FIRST_PURGE, 2 * references.size());
    }
    references.add(new WeakReference<>((SecureRandom) created));
  }

  /** Those that are reachable now. */
  synchronized List<SecureRandom> reachable() {
    List<SecureRandom> all = new ArrayList<>(references.size());
    for (int i = 0; i < references.size(); i++) {
      SecureRandom random = references.get(i).get();
      if (random != null) {
        all.add(random);
      }
    }
    return all;
  }
}
