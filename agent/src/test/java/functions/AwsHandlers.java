package functions;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.events.APIGatewayProxyRequestEvent;
import com.amazonaws.services.lambda.runtime.events.S3Event;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
import com.amazonaws.services.lambda.runtime.events.ScheduledEvent;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Handlers of the AWS kinds, packed into a jar by the tests. */
public final class AwsHandlers {
  private AwsHandlers() {}

  /** A state with a value of its own. */
  public enum State {
    OPEN,
    CLOSED
  }

  /** A plain object as AWS users write them. */
  public static final class Order {
    private String id;
    private int amount;
    private State state = State.OPEN;

    public String getId() {
      return id;
    }

    public void setId(String id) {
      this.id = id;
    }

    public int getAmount() {
      return amount;
    }

    public void setAmount(int amount) {
      this.amount = amount;
    }

    public State getState() {
      return state;
    }

    public void setState(State state) {
      this.state = state;
    }
  }

  /** The same as a record. */
  public record OrderRecord(String id, int amount, List<State> states) {}

  /** Takes an object, answers with it. */
  public static final class OrderHandler implements RequestHandler<Order, Order> {
    @Override
    public Order handleRequest(Order order, Context context) {
      order.setAmount(order.getAmount() * 2);
      order.setState(State.CLOSED);
      return order;
    }
  }

  /** Takes a record, answers with one. */
  public static final class RecordHandler implements RequestHandler<OrderRecord, OrderRecord> {
    @Override
    public OrderRecord handleRequest(OrderRecord order, Context context) {
      return new OrderRecord(order.id(), order.amount() * 2, order.states());
    }
  }

  /** Takes a map. */
  public static final class MapHandler
      implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    @Override
    public Map<String, Object> handleRequest(Map<String, Object> input, Context context) {
      Map<String, Object> answer = new LinkedHashMap<>(input);
      answer.put("class", input.getClass().getName());
      return answer;
    }
  }

  /** Takes a list of objects, so that its elements' type matters. */
  public static final class ListHandler implements RequestHandler<List<Order>, Integer> {
    @Override
    public Integer handleRequest(List<Order> orders, Context context) {
      return orders.stream().mapToInt(Order::getAmount).sum();
    }
  }

  /** Takes a string. */
  public static final class StringHandler implements RequestHandler<String, String> {
    @Override
    public String handleRequest(String input, Context context) {
      return "<" + input + ">";
    }
  }

  /** Takes a number. */
  public static final class NumberHandler implements RequestHandler<Integer, Double> {
    @Override
    public Double handleRequest(Integer input, Context context) {
      return input / 2.0;
    }
  }

  /** Takes an enum's constant, answers nothing. */
  public static final class EnumHandler implements RequestHandler<State, Void> {
    @Override
    public Void handleRequest(State input, Context context) {
      return null;
    }
  }

  /** Does the work for subclasses that only say the type. */
  public abstract static class Base<T> implements RequestHandler<T, String> {
    @Override
    public String handleRequest(T input, Context context) {
      return input.getClass().getSimpleName();
    }
  }

  /** Inherits its input's type. */
  public static final class InheritingHandler extends Base<Order> {}

  /** Reports what its context says. */
  public static final class ContextHandler implements RequestHandler<Object, Map<String, Object>> {
    @Override
    public Map<String, Object> handleRequest(Object input, Context context) {
      Map<String, Object> seen = new LinkedHashMap<>();
      seen.put("requestId", context.getAwsRequestId());
      seen.put("function", context.getFunctionName());
      seen.put("version", context.getFunctionVersion());
      seen.put("memory", context.getMemoryLimitInMB());
      seen.put("remaining", context.getRemainingTimeInMillis());
      seen.put("arn", context.getInvokedFunctionArn());
      seen.put("logGroup", context.getLogGroupName());
      seen.put("logStream", context.getLogStreamName());
      seen.put("identity", context.getIdentity().getIdentityId() == null);
      if (context.getClientContext() != null) {
        seen.put("title", context.getClientContext().getClient().getAppTitle());
        seen.put("custom", context.getClientContext().getCustom());
        seen.put("env", context.getClientContext().getEnvironment());
      }
      context.getLogger().log("as text\n");
      context.getLogger().log("as bytes\n".getBytes(StandardCharsets.UTF_8));
      context.getLogger().log("with level\n", LogLevel.WARN);
      return seen;
    }
  }

  /** Tells what it can see of its host. */
  public static final class NosyHandler implements RequestHandler<String, Map<String, Object>> {
    @Override
    public Map<String, Object> handleRequest(String className, Context context) {
      ClassLoader own = NosyHandler.class.getClassLoader();
      boolean visible;
      try {
        Class.forName(className, false, own);
        visible = true;
      } catch (ClassNotFoundException e) {
        visible = false;
      }
      return Map.of(
          "visible",
          visible,
          "contextLoaderIsOwn",
          Thread.currentThread().getContextClassLoader() == own,
          "interfaceIsOwn",
          RequestHandler.class.getClassLoader() == own);
    }
  }

  /** Turns the payload round. */
  public static final class ReversingHandler implements RequestStreamHandler {
    private OutputStream last;

    @Override
    public void handleRequest(InputStream input, OutputStream output, Context context)
        throws IOException {
      if (last != null) {
        try {
          last.write('!');
        } catch (IOException e) {
          // The last call's answer is gone, as it should be.
        }
      }
      last = output;
      byte[] bytes = input.readAllBytes();
      for (int i = bytes.length - 1; i >= 0; i--) {
        output.write(bytes[i]);
      }
    }
  }

  /** Answers with as many bytes as it is told to, and hides that they were too many. */
  public static final class BigHandler implements RequestStreamHandler {
    @Override
    public void handleRequest(InputStream input, OutputStream output, Context context)
        throws IOException {
      int size = Integer.parseInt(new String(input.readAllBytes(), StandardCharsets.UTF_8));
      try {
        output.write(new byte[size]);
      } catch (IOException e) {
        // What some handlers do.
      }
    }
  }

  /** An event with a mix-in, and one in another. */
  public static final class SqsHandler implements RequestHandler<SQSEvent, String> {
    @Override
    public String handleRequest(SQSEvent event, Context context) {
      SQSEvent.SQSMessage message = event.getRecords().get(0);
      return message.getBody() + " from " + message.getEventSourceArn();
    }
  }

  /** An event that is read without Jackson. */
  public static final class S3Handler implements RequestHandler<S3Event, String> {
    @Override
    public String handleRequest(S3Event event, Context context) {
      return event.getRecords().get(0).getS3().getObject().getKey();
    }
  }

  /** An event with a Joda time. */
  public static final class ScheduledHandler implements RequestHandler<ScheduledEvent, String> {
    @Override
    public String handleRequest(ScheduledEvent event, Context context) {
      return event.getDetailType() + " in " + event.getTime().getYear();
    }
  }

  /** An event without a mix-in. */
  public static final class ApiHandler
      implements RequestHandler<APIGatewayProxyRequestEvent, String> {
    @Override
    public String handleRequest(APIGatewayProxyRequestEvent event, Context context) {
      return event.getHttpMethod() + " " + event.getHeaders().get("Accept");
    }
  }
}
