package io.pilotlight.it.functions;

import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.LinkedHashMap;
import java.util.Map;

/** Tells what an AWS handler is told by its platform. */
public final class Informed implements RequestHandler<Map<String, Object>, Map<String, Object>> {
  @Override
  public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
    context.getLogger().log("told by the logger\n");
    Map<String, Object> told = new LinkedHashMap<>();
    told.put("requestId", context.getAwsRequestId());
    told.put("name", context.getFunctionName());
    told.put("version", context.getFunctionVersion());
    told.put("arn", context.getInvokedFunctionArn());
    told.put("memory", context.getMemoryLimitInMB());
    told.put("remaining", context.getRemainingTimeInMillis());
    ClientContext client = context.getClientContext();
    told.put("custom", client == null ? null : client.getCustom());
    told.put("event", event);
    return told;
  }
}
