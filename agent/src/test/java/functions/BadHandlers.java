package functions;

import java.util.Map;
import java.util.function.Function;

/** Handlers with which something is wrong. */
public final class BadHandlers {
  private BadHandlers() {}

  /** Is no handler. */
  public static final class Nothing {
    public String greet(String name) {
      return name;
    }
  }

  /** Fails when it is initialised. */
  public static final class BadStatic implements Function<String, String> {
    static final int VALUE = fail();

    private static int fail() {
      throw new IllegalStateException("no configuration");
    }

    @Override
    public String apply(String input) {
      return input + VALUE;
    }
  }

  /** Fails when it is constructed. */
  public static final class BadConstructor implements Function<String, String> {
    public BadConstructor() {
      throw new UnsupportedOperationException("no database");
    }

    @Override
    public String apply(String input) {
      return input;
    }
  }

  /** Cannot be constructed. */
  public static final class Unconstructible implements Function<String, String> {
    public Unconstructible(int size) {}

    @Override
    public String apply(String input) {
      return input;
    }
  }

  /** Is abstract. */
  public abstract static class Abstract implements Function<String, String> {}

  /** Is not public. */
  static final class Hidden implements Function<String, String> {
    @Override
    public String apply(String input) {
      return input;
    }
  }

  /** Needs a class that the tests leave out of the jar. */
  public static final class Dependent extends LeftOut {}

  public static String either(String input) {
    return input;
  }

  public static String either(Integer input) {
    return input.toString();
  }

  public static String three(String a, String b, String c) {
    return a + b + c;
  }

  /** Misbehaves as it is told to. */
  public static final class Thrower implements Function<Map<String, String>, Object> {
    @Override
    public Object apply(Map<String, String> input) {
      return switch (input.get("do")) {
        case "throw" ->
            throw new IllegalArgumentException("bad order", new IllegalStateException("inner"));
        case "error" -> throw new AssertionError("broken");
        case "overflow" -> apply(input);
        case "nasty" -> throw new Nasty();
        case "cycle" -> cycle();
        case "interrupt" -> interrupt();
        case "exit" -> exit();
        case "thread" -> dieInBackground();
        default -> Thread.interrupted();
      };
    }

    private static Object cycle() {
      Object[] cycle = new Object[1];
      cycle[0] = cycle;
      return cycle;
    }

    private static Object interrupt() {
      Thread.currentThread().interrupt();
      return "interrupted";
    }

    private static Object exit() {
      System.exit(7);
      return "never";
    }

    private static Object dieInBackground() {
      Runnable dying =
          () -> {
            throw new IllegalStateException("in the background");
          };
      Thread thread = new Thread(dying, "worker-1");
      thread.start();
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return "started";
    }
  }

  /** Throws when it is described. */
  public static final class Nasty extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("not telling");
    }
  }
}
