package io.pilotlight.agent;

import io.pilotlight.agent.handler.HostedFunction;
import io.pilotlight.agent.identity.Renewal;
import java.util.ArrayList;
import java.util.List;

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

  /** In the zygote; what it answers cannot be renewed. */
  List<String> prepare() {
    prepared = true;
    return renewal.prepare(loader);
  }

  /** In the clone; what it answers was not renewed. */
  List<String> renew(String cloneId) {
    function.renew(cloneId);
    if (prepared) {
      return renewal.renew();
    }
    // Frozen without having been asked to become quiet: slower, but its clones are their own.
    List<String> problems = new ArrayList<>(prepare());
    problems.addAll(renewal.renew());
    return problems;
  }
}
