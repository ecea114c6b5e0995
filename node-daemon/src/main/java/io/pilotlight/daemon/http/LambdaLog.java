package io.pilotlight.daemon.http;

import io.pilotlight.daemon.function.FunctionDefinition;
import io.pilotlight.daemon.route.Outcome;
import io.pilotlight.zygote.Overrun;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;

/**
 * The log of one call, with the lines that AWS Lambda puts around what the function wrote; without
 * {@code Max Memory Used}, which would take a millisecond to find out.
 */
final class LambdaLog {
  /** What the header X-Amz-Log-Result holds of it. */
  private static final int TAIL_BYTES = 4 << 10;

  private LambdaLog() {}

  /** Its end, as the header has it: in base64. */
  static String tail(String requestId, FunctionDefinition definition, Outcome outcome) {
    byte[] bytes = text(requestId, definition, outcome).getBytes(StandardCharsets.UTF_8);
    int from = Math.max(0, bytes.length - TAIL_BYTES);
    return Base64.getEncoder().encodeToString(Arrays.copyOfRange(bytes, from, bytes.length));
  }

  private static String text(String requestId, FunctionDefinition definition, Outcome outcome) {
    String written = "";
    double millis = 0;
    if (outcome instanceof Outcome.Answered answered) {
      written = answered.log();
      millis = Math.max(0, answered.handlerNanos()) / 1e6;
    } else if (outcome instanceof Outcome.Died died) {
      written = died.cause().outputTail();
    } else if (outcome instanceof Outcome.TimedOut late) {
      millis = late.timeout().toMillis();
      written =
          String.format(
              Locale.ROOT, "%s Task timed out after %.2f seconds\n", requestId, millis / 1e3);
    }
    return String.format(
        Locale.ROOT,
        "START RequestId: %s Version: %d\n%s%sEND RequestId: %s\n"
            + "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\t"
            + "Memory Size: %d MB\t%s\n",
        requestId,
        definition.version(),
        written,
        written.isEmpty() || written.endsWith("\n") ? "" : "\n",
        requestId,
        requestId,
        millis,
        Math.ceil(millis),
        definition.settings().limits().memoryMib(),
        outOfMemory(outcome) ? "Status: error\tError Type: Runtime.OutOfMemory" : "");
  }

  /** The one kind of end that AWS names here and not in the answer. */
  private static boolean outOfMemory(Outcome outcome) {
    if (outcome instanceof Outcome.Died died) {
      Overrun overrun = died.cause().overrun();
      return overrun != null && overrun.kind() == Overrun.Kind.MEMORY;
    }
    return false;
  }
}
