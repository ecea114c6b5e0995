package functions;

import java.util.function.Function;

/** Not in the tests' jars. */
public class LeftOut implements Function<String, String> {
  @Override
  public String apply(String input) {
    return input;
  }
}
