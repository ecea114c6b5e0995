package io.pilotlight.crac;

/** What a call of {@link Core#checkpointRestore()} does in this process; the agent's. */
public interface Requests {
  /**
   * Asks for a checkpoint and returns in a restored process.
   *
   * @throws CheckpointException if there is none
   * @throws RestoreException if a resource failed in the restored process
   * @throws UnsupportedOperationException if this process is not one of which a checkpoint is made
   */
  void checkpointRestore() throws CheckpointException, RestoreException;
}
