package io.pilotlight.daemon.function;

import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Environment variables of a function that come with the dispatch: no zygote holds them, and nobody
 * is told their values.
 *
 * @param values by name
 */
public record Secrets(Map<String, String> values) {
  /** Copies the map. */
  public Secrets {
    values = Map.copyOf(values);
  }

  /** Their names, sorted. */
  public SortedSet<String> names() {
    return new TreeSet<>(values.keySet());
  }

  /** Names only: this text may get into a log. */
  @Override
  public String toString() {
    return "Secrets" + names();
  }
}
