package io.pilotlight.daemon.http;

import io.pilotlight.agent.wire.Failure;
import io.pilotlight.zygote.BuildException;

/** What a function that could not be built, or not be started cold, means to a client. */
final class Builds {
  /** What the client wanted. */
  enum When {
    DEPLOYING,
    INVOKING
  }

  private Builds() {}

  static Problem problem(BuildException e, When when) {
    boolean ours = e.fault() == BuildException.Fault.SYSTEM;
    int status = ours ? 503 : when == When.DEPLOYING ? 400 : 500;
    return new Problem(
        status,
        type(e.fault()),
        String.valueOf(e.getMessage()),
        node -> {
          Failure failure = e.failure();
          if (failure != null) {
            FailureJson.write(failure, node.putObject("failure"));
          }
          if (!e.outputTail().isEmpty()) {
            node.put("output", e.outputTail());
          }
        });
  }

  private static String type(BuildException.Fault fault) {
    return switch (fault) {
      case CONFIGURATION -> "invalid-configuration";
      case FUNCTION -> "initialisation-failed";
      case CHECKPOINT -> "checkpoint-failed";
      case UNCLONABLE -> "not-clonable";
      case SYSTEM -> "system-failure";
    };
  }
}
