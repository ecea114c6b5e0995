package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.daemon.route.Outcome;
import io.pilotlight.zygote.BuildException;
import io.pilotlight.zygote.ExitStatus;
import io.pilotlight.zygote.Reply;
import org.jspecify.annotations.Nullable;

/** Errors as AWS Lambda reports them, so that its clients understand. Stateless. */
final class LambdaErrors {
  /** What Lambda's own limit is, and its message names. */
  private final int maxAnswerBytes;

  private final ObjectMapper json;

  LambdaErrors(ObjectMapper json, int maxAnswerBytes) {
    this.json = json;
    this.maxAnswerBytes = maxAnswerBytes;
  }

  /**
   * The request is refused, or cannot be served now.
   *
   * @param type the AWS exception
   * @param side {@code User} or {@code Service}: whose fault
   */
  void refuse(Exchange exchange, int status, String type, String side, String message) {
    ObjectNode body = json.createObjectNode();
    body.put("Type", side);
    body.put("Message", message);
    exchange.answerHeader("x-amzn-ErrorType", type);
    exchange.json(status, body);
  }

  /** Refuses what is the client's fault. */
  void refuse(Exchange exchange, int status, String type, String message) {
    refuse(exchange, status, type, "User", message);
  }

  /** Why an outcome without a process is refused; nothing ran, so clients may try again. */
  void refuse(Exchange exchange, LambdaFunctionName name, Outcome outcome) {
    if (outcome instanceof Outcome.Throttled) {
      refuse(exchange, 429, "TooManyRequestsException", "Rate Exceeded.");
    } else if (outcome instanceof Outcome.Unavailable unavailable) {
      switch (unavailable.reason()) {
        case BUILDING ->
            refuse(
                exchange,
                409,
                "ResourceConflictException",
                "The operation cannot be performed at this time. The function is currently in the"
                    + " following state: Pending");
        case REMOVED -> notFound(exchange, name);
        default -> refuse(exchange, 503, "ServiceException", "Service", unavailable.message());
      }
    } else if (outcome instanceof Outcome.NotInitialised notInitialised) {
      refuse(
          exchange,
          503,
          "ServiceException",
          "Service",
          String.valueOf(notInitialised.cause().getMessage()));
    }
  }

  void notFound(Exchange exchange, LambdaFunctionName name) {
    refuse(exchange, 404, "ResourceNotFoundException", "Function not found: " + name.arn());
  }

  /**
   * The error of the function that an outcome is, or null if it is none: its answer is good, or it
   * was not run for another reason than its own.
   */
  @Nullable ObjectNode functionError(String requestId, Outcome outcome) {
    if (outcome instanceof Outcome.Answered answered) {
      if (answered.reply() instanceof Reply.Fault fault) {
        return failure(fault.failure());
      }
      return answered.reply() instanceof Reply.Success success
              && success.payload().length > maxAnswerBytes
          ? error(
              Failure.RESPONSE_TOO_LARGE,
              "Response payload size exceeded maximum allowed payload size ("
                  + maxAnswerBytes
                  + " bytes).")
          : null;
    } else if (outcome instanceof Outcome.Died died) {
      return error(
          "Runtime.ExitError",
          "RequestId: " + requestId + " Error: Runtime exited with error: " + exit(died));
    } else if (outcome instanceof Outcome.TimedOut timedOut) {
      return error(
          "Sandbox.Timedout",
          "RequestId: "
              + requestId
              + " Error: Task timed out after "
              + timedOut.timeout().toSeconds()
              + ".00 seconds");
    } else if (outcome instanceof Outcome.NotInitialised notInitialised
        && notInitialised.cause().fault() != BuildException.Fault.SYSTEM) {
      Failure failure = notInitialised.cause().failure();
      return failure != null
          ? failure(failure)
          : error("Runtime.InitError", String.valueOf(notInitialised.cause().getMessage()));
    }
    return null;
  }

  private static String exit(Outcome.Died died) {
    ExitStatus status = died.cause().status();
    if (status instanceof ExitStatus.Exited exited) {
      return "exit status " + exited.code();
    } else if (status instanceof ExitStatus.Signalled signalled) {
      return signalled.signal() == 9 ? "signal: killed" : "signal: " + signalled.signal();
    }
    return status.toString();
  }

  private ObjectNode failure(Failure failure) {
    ObjectNode node = json.createObjectNode();
    FailureJson.write(failure, node);
    return node;
  }

  private ObjectNode error(String type, String message) {
    return json.createObjectNode().put("errorType", type).put("errorMessage", message);
  }
}
