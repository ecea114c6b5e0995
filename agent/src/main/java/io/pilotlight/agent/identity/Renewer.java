package io.pilotlight.agent.identity;

/** Renews one kind of state in a clone. All that it needs was looked up in the zygote. */
interface Renewer {
  /** What it renews, for messages. */
  String subject();

  /**
   * Renews it.
   *
   * @throws Exception if it could not; the state may then be the zygote's
   */
  void renew(Entropy entropy) throws Exception;
}
