package io.pilotlight.daemon.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.agent.wire.Failure;
import io.pilotlight.agent.wire.Frame.FaultKind;
import io.pilotlight.daemon.function.ServedFunction;
import io.pilotlight.daemon.pool.Start;
import io.pilotlight.daemon.route.Call;
import io.pilotlight.daemon.route.Outcome;
import io.pilotlight.daemon.route.Router;
import io.pilotlight.daemon.route.Served;
import io.pilotlight.zygote.Invocation;
import io.pilotlight.zygote.Overrun;
import io.pilotlight.zygote.Reply;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/functions/{name}/invocations}. Thread-safe. */
final class InvocationEndpoint {
  static final String START = "Pilotlight-Start";
  static final String START_SECONDS = "Pilotlight-Start-Seconds";
  static final String HANDLER_SECONDS = "Pilotlight-Handler-Seconds";
  static final String CLONE = "Pilotlight-Clone";
  static final String REQUEST_ID = "Pilotlight-Request-Id";

  private final Router router;
  private final int maxRequestBytes;
  private final int maxAnswerBytes;

  InvocationEndpoint(Router router, int maxRequestBytes, int maxAnswerBytes) {
    this.router = router;
    this.maxRequestBytes = maxRequestBytes;
    this.maxAnswerBytes = maxAnswerBytes;
  }

  void invoke(ServedFunction function, Exchange exchange)
      throws IOException, RequestBody.TooLargeException {
    String word = exchange.header(START);
    Start asked = null;
    if (word != null && !word.equals("auto")) {
      asked = Start.of(word).orElse(null);
      if (asked == null) {
        exchange.problem(noSuchStart(word));
        return;
      }
    }
    byte[] payload = exchange.body(maxRequestBytes);
    String requestId = RequestIds.next();
    exchange.answerHeader(REQUEST_ID, requestId);
    Call call =
        new Call(
            new Invocation(requestId, Map.of(), payload), asked, exchange.acceptedNanos(), false);
    try (Served served = router.invoke(function, call)) {
      answer(function.name(), served.outcome(), exchange);
    }
  }

  private static Problem noSuchStart(String word) {
    return new Problem(
        400,
        "invalid-request",
        "header "
            + START
            + " is '"
            + word
            + "'; auto, warm, pool, fork, restore or cold is allowed",
        node -> node.put("field", START));
  }

  private void answer(String function, Outcome outcome, Exchange exchange) {
    if (outcome instanceof Outcome.Handed handed) {
      describe(handed, exchange);
    }
    if (outcome instanceof Outcome.Answered answered) {
      if (answered.reply() instanceof Reply.Success success
          && success.payload().length <= maxAnswerBytes) {
        exchange.json(200, success.payload());
        return;
      }
    }
    exchange.problem(problem(function, outcome));
  }

  /** Headers that say how the process was got. */
  static void describe(Outcome.Handed handed, Exchange exchange) {
    exchange.answerHeader(START, handed.start().word());
    exchange.answerHeader(CLONE, handed.process());
    if (handed instanceof Outcome.Answered answered && answered.startNanos() >= 0) {
      exchange.answerHeader(START_SECONDS, seconds(answered.startNanos()));
      exchange.answerHeader(HANDLER_SECONDS, seconds(answered.handlerNanos()));
    }
  }

  /** Nanoseconds as a decimal fraction of seconds, without going through a format string. */
  static String seconds(long nanos) {
    String fraction = Long.toString(1_000_000_000L + Math.max(0, nanos) % 1_000_000_000L);
    return Math.max(0, nanos) / 1_000_000_000L + "." + fraction.substring(1);
  }

  private Problem problem(String function, Outcome outcome) {
    if (outcome instanceof Outcome.Answered answered) {
      return answered.reply() instanceof Reply.Fault fault
          ? fault(function, fault)
          : tooLarge(function, answered);
    } else if (outcome instanceof Outcome.Died died) {
      return new Problem(
          502,
          "process-died",
          String.valueOf(died.cause().getMessage()),
          node -> {
            writeLimit(died.cause().overrun(), node);
            node.put("exit", died.cause().status().toString());
            node.put("output", died.cause().outputTail());
          });
    } else if (outcome instanceof Outcome.TimedOut timedOut) {
      return new Problem(
          504,
          "timed-out",
          "function '"
              + function
              + "' did not answer within its "
              + timedOut.timeout().toSeconds()
              + " s; its process was killed. Deploy it with a larger timeoutSeconds if it needs"
              + " longer");
    } else if (outcome instanceof Outcome.Throttled throttled) {
      return new Problem(
          429,
          "too-many-invocations",
          "function '"
              + function
              + "' runs the "
              + throttled.limit()
              + " invocations at once that its concurrency allows; try again, or deploy it with a"
              + " larger concurrency");
    } else if (outcome instanceof Outcome.NotInitialised notInitialised) {
      return Builds.problem(notInitialised.cause(), Builds.When.INVOKING);
    }
    Outcome.Unavailable unavailable = (Outcome.Unavailable) outcome;
    return unavailable(unavailable);
  }

  private static Problem fault(String function, Reply.Fault fault) {
    Failure failure = fault.failure();
    Overrun overrun = fault.overrun();
    boolean input = fault.kind() == FaultKind.INPUT;
    boolean tooLarge = failure.type().equals(Failure.RESPONSE_TOO_LARGE);
    return new Problem(
        input ? 400 : tooLarge ? 502 : 500,
        input ? "invalid-payload" : tooLarge ? "answer-too-large" : "function-failed",
        "function '"
            + function
            + "': "
            + failure.summary()
            + (overrun == null ? "" : ". Its process has reached its " + overrun.limit()),
        node -> {
          writeLimit(overrun, node);
          FailureJson.write(failure, node.putObject("failure"));
        });
  }

  /** Which limit it was, as a word for programs. */
  private static void writeLimit(@Nullable Overrun overrun, ObjectNode node) {
    if (overrun != null) {
      node.put("limit", overrun.kind().word());
    }
  }

  private Problem tooLarge(String function, Outcome.Answered answered) {
    int length = answered.reply() instanceof Reply.Success success ? success.payload().length : 0;
    return new Problem(
        502,
        "answer-too-large",
        "function '"
            + function
            + "' answered with "
            + length
            + " bytes; "
            + maxAnswerBytes
            + " are allowed");
  }

  private static Problem unavailable(Outcome.Unavailable unavailable) {
    return switch (unavailable.reason()) {
      case BUILDING -> new Problem(503, "function-building", unavailable.message());
      case REMOVED -> new Problem(404, "unknown-function", unavailable.message());
      case START_NOT_POSSIBLE -> new Problem(409, "start-not-possible", unavailable.message());
      case STARTS_FAILED -> new Problem(503, "start-failed", unavailable.message());
      case STOPPING -> new Problem(503, "stopping", unavailable.message());
    };
  }
}
