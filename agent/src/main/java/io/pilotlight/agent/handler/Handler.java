package io.pilotlight.agent.handler;

/** A function's handler, ready to be called. */
public interface Handler {
  /**
   * Calls it once, and leaves in {@code reply} what it answers and when it was entered and left.
   */
  void call(Call call, byte[] payload, Reply reply) throws CallFault;
}
