package io.pilotlight.agent;

import io.pilotlight.agent.handler.HostedFunction;
import io.pilotlight.agent.identity.Renewal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What must differ between a clone and its zygote: renewed in the clone before user code runs. */
final class CloneIdentity {
  private final HostedFunction function;
  private final ClassLoader loader;
  private final Renewal renewal;
  private boolean prepared;

  CloneIdentity(HostedFunction function, ClassLoader loader, Renewal renewal) {
    this.function = function;
    this.loader = loader;
    this.renewal = renewal;
  }

  /**
   * In the zygote; what it answers cannot be renewed.
   *
   * @param handler the function's object, or null if there is none yet
   */
  List<String> prepare(@Nullable Object handler) {
    prepared = true;
    return renewal.prepare(loader, handler);
  }

  /** In the clone; what it answers was not renewed. */
  List<String> renew(String cloneId) {
    function.renew(cloneId);
    if (prepared) {
      return renewal.renew();
    }
    // Frozen without having been asked to become quiet: slower, but its clones are their own.
    List<String> problems = new ArrayList<>(prepare(null));
    problems.addAll(renewal.renew());
    return problems;
  }
}
