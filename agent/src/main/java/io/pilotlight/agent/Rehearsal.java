package io.pilotlight.agent;

import io.pilotlight.agent.crac.Checkpoint;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.Frame.InvokeAttributes;
import io.pilotlight.crac.CheckpointException;
import io.pilotlight.crac.GlobalContext;
import io.pilotlight.crac.RestoreException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs in the zygote what its clones will run first and the warm-up may not have run: every frame
 * is written and read once, the identity is renewed, and a restore is told. So no clone loads a
 * class for that.
 */
final class Rehearsal {
  /** Enough for the renewal to be compiled: each clone does it once, on the way of a request. */
  private static final int RENEWALS = 300;

  /** A name that nobody uses. */
  private static final String VARIABLE = "PILOTLIGHT_REHEARSAL";

  private final CloneIdentity identity;
  private final ProcessVariables variables;

  Rehearsal(CloneIdentity identity, ProcessVariables variables) {
    this.identity = identity;
    this.variables = variables;
  }

  /** Runs it all; what could not be renewed is in the answer, a sentence each. */
  List<String> run() throws IOException {
    String name = "zygote";
    Set<String> problems = new LinkedHashSet<>();
    for (int i = 0; i < RENEWALS; i++) {
      problems.addAll(identity.renew(name));
    }
    Map<String, String> attributes =
        Map.of(InvokeAttributes.INVOKED_FUNCTION_ARN, name, InvokeAttributes.CLIENT_CONTEXT, "{}");
    Failure failure = Failure.of(new IOException(name));
    Frame.Invoke invoke = new Frame.Invoke(name, 0, attributes, new byte[16]);
    pass(new Frame.Renew(name));
    pass(invoke);
    pass(new Frame.Invoke(name, 0, Map.of(), new byte[16 << 10]));
    pass(new Frame.Result(0, 0, false, invoke.payload()));
    pass(new Frame.Fault(Frame.FaultKind.HANDLER, 0, 0, false, failure));
    pass(new Frame.Failed(Frame.Phase.RESTORE, failure));
    pass(new Frame.Checkpointed(List.of(name)));
    pass(new Frame.Secrets(Map.of(VARIABLE, name)));
    pass(new Frame.Stop());
    rehearseSecrets(name);
    rehearseRestore();
    return List.copyOf(problems);
  }

  /** Where the JDK does not let them be set there is nothing to rehearse; a clone says so. */
  private void rehearseSecrets(String value) {
    try {
      variables.put(Map.of(VARIABLE, value));
    } catch (IllegalStateException e) {
      return;
    }
    variables.remove(VARIABLE);
  }

  /**
   * Of nobody's resources: what is resolved once at the first restore is not left to each clone.
   */
  private static void rehearseRestore() throws IOException {
    Checkpoint checkpoint = new Checkpoint(new GlobalContext(), true, () -> {});
    try {
      checkpoint.make();
      checkpoint.restoreIfPending();
    } catch (CheckpointException | RestoreException e) {
      throw new IOException("rehearsing a restore", e);
    }
  }

  private static void pass(Frame frame) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new ControlChannel(new ByteArrayInputStream(new byte[0]), bytes).write(frame);
    new ControlChannel(new ByteArrayInputStream(bytes.toByteArray()), bytes).read();
  }
}
