package io.pilotlight.crac;

/**
 * Where org.crac finds the context and asks for checkpoints. All state is static, as its API is.
 */
public final class Core {
  private static final GlobalContext CONTEXT = new GlobalContext();
  private static volatile Requests served = new Refused();
  private static volatile boolean found;

  private Core() {}

  private static final class Refused implements Requests {
    @Override
    public void checkpointRestore() {
      throw new UnsupportedOperationException("this process is not hosted by Pilotlight");
    }
  }

  /** The one context of this process. */
  public static Context<Resource> getGlobalContext() {
    found = true;
    return CONTEXT;
  }

  /**
   * Asks for a checkpoint and returns in a restored process.
   *
   * @throws CheckpointException if there is none
   * @throws RestoreException if a resource failed in the restored process
   * @throws UnsupportedOperationException if this process is not one of which a checkpoint is made
   */
  public static void checkpointRestore() throws CheckpointException, RestoreException {
    served.checkpointRestore();
  }

  /** For the agent: what a request does from now on. */
  public static void serve(Requests requests) {
    served = requests;
  }

  /** For the agent: the context, without having looked for it as org.crac does. */
  public static GlobalContext context() {
    return CONTEXT;
  }

  /** For the agent: whether an org.crac has found this implementation. */
  public static boolean found() {
    return found;
  }
}
