package io.pilotlight.agent;

import io.pilotlight.agent.handler.HostedFunction;

/** What must differ between a clone and its zygote: renewed in the clone before user code runs. */
final class CloneIdentity {
  private final HostedFunction function;

  CloneIdentity(HostedFunction function) {
    this.function = function;
  }

  void renew(String cloneId) {
    function.renew(cloneId);
  }
}
