package functions;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.Context;
import functions.AwsHandlers.Order;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Handlers that need no interface of AWS. */
public final class PlainHandlers {
  private PlainHandlers() {}

  /** Leaves something to do at the end of the process. */
  public static String hooked(String word) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook: " + word)));
    return word;
  }

  /** Leaves a file to be deleted at the end of the process. */
  public static String deleting(String file) {
    new File(file).deleteOnExit();
    return file;
  }

  /** An environment variable, as Java sees it and a child that is given Java's environment. */
  public static String variable(String name) throws IOException {
    String own = System.getenv(name) + "," + System.getenv().get(name);
    ProcessBuilder command = new ProcessBuilder("printenv", name);
    command.environment().put("LANG", "C");
    Process child = command.start();
    return own + "," + new String(child.getInputStream().readAllBytes(), UTF_8).strip();
  }

  /** A function. */
  public static final class Total implements Function<List<Order>, Integer> {
    @Override
    public Integer apply(List<Order> orders) {
      return orders.stream().mapToInt(Order::getAmount).sum();
    }
  }

  /** A function of one type. */
  public static final class Upper implements UnaryOperator<String> {
    @Override
    public String apply(String text) {
      return text.toUpperCase(java.util.Locale.ROOT);
    }
  }

  public static int twice(int value) {
    return value * 2;
  }

  public static long total(Map<String, Long> values) {
    return values.values().stream().mapToLong(Long::longValue).sum();
  }

  public static String nothing() {
    return "nothing taken";
  }

  public static void silent(String ignored) {}

  public static String named(String prefix, Context context) {
    return prefix + context.getFunctionName();
  }

  public static String onlyContext(Context context) {
    return context.getFunctionName();
  }

  public static void copy(InputStream input, OutputStream output) throws IOException {
    input.transferTo(output);
  }

  public static void copyWithContext(InputStream input, OutputStream output, Context context)
      throws IOException {
    input.transferTo(output);
    output.write(context.getFunctionName().getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  public static void sink(InputStream input) throws IOException {
    input.readAllBytes();
  }

  /** A class of methods, as AWS allows. */
  public static class Shop {
    private int served;

    public String serve(Order order, Context context) {
      served++;
      return order.getId() + served;
    }

    public String serve(Order order) {
      throw new IllegalStateException("the longer one is preferred");
    }
  }

  /** Inherits a generic method. */
  public static final class OrderShop extends GenericShop<Order> {}

  /** Declares it. */
  public abstract static class GenericShop<T> {
    public String type(T value) {
      return value.getClass().getSimpleName();
    }
  }
}
