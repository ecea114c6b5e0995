package functions;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;

/** Handlers that use org.crac, and one that looks for what is behind it. */
public final class CracHandlers {
  private CracHandlers() {}

  /** Which of these classes it can see, and whether by the boot loader. */
  public static List<String> visible(List<String> names) {
    List<String> seen = new ArrayList<>();
    for (String name : names) {
      try {
        Class<?> type = Class.forName(name);
        seen.add(name + (type.getClassLoader() == null ? " of the boot loader" : " of another"));
      } catch (ClassNotFoundException e) {
        seen.remove(name);
      }
    }
    return seen;
  }

  /** Tells what it was told. */
  public static final class Registered implements Function<String, List<String>>, Resource {
    private final List<String> told = new ArrayList<>();

    /** Registers. */
    public Registered() {
      Core.getGlobalContext().register(this);
    }

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
      told.add("before");
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
      told.add("after");
    }

    @Override
    public List<String> apply(String event) {
      return told;
    }
  }
}
