package io.pilotlight.it.functions;

import java.util.Map;
import java.util.function.Function;
import org.crac.Context;
import org.crac.Core;
import org.crac.Resource;

/** Has a resource that throws where {@code REFUSE} says, and one that counts what it is told. */
public final class Refusing implements Function<Map<String, Object>, String> {
  private final Pool pool = new Pool();
  private final Counter counter = new Counter();

  /** Registers both; the one that counts is told of the restore last. */
  public Refusing() {
    Core.getGlobalContext().register(pool);
    Core.getGlobalContext().register(counter);
  }

  /** Throws. */
  static final class Pool implements Resource {
    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
      refuse("before", "4 connections are in use");
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
      refuse("after", "no route to the database");
    }

    private static void refuse(String where, String message) {
      if (where.equals(System.getenv("REFUSE"))) {
        throw new IllegalStateException(message);
      }
    }
  }

  /** Counts. */
  static final class Counter implements Resource {
    private int before;
    private int after;

    @Override
    public void beforeCheckpoint(Context<? extends Resource> context) {
      before++;
    }

    @Override
    public void afterRestore(Context<? extends Resource> context) {
      after++;
      System.out.println("told " + before + "/" + after);
    }
  }

  @Override
  public String apply(Map<String, Object> event) {
    return pool.getClass().getSimpleName() + " told " + counter.before + "/" + counter.after;
  }
}
