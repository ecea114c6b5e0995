package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.agent.wire.Failure;

/** A function's exception in the members that AWS Lambda uses. */
final class FailureJson {
  private FailureJson() {}

  static void write(Failure failure, ObjectNode out) {
    out.put("errorMessage", failure.message());
    out.put("errorType", failure.type());
    ArrayNode stack = out.putArray("stackTrace");
    failure.stackTrace().forEach(stack::add);
    Failure cause = failure.cause();
    if (cause != null) {
      write(cause, out.putObject("cause"));
    }
  }
}
