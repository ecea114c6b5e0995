package io.pilotlight.agent.quiesce;

import io.pilotlight.agent.clock.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes this JVM a good parent: nothing left to compile, no garbage, no memory held for nothing.
 * None of it is needed for a fork to work, so what cannot be done is only noted.
 */
public final class Quiescer {
  private static final long COMPILER_TIMEOUT_NANOS = 10_000_000_000L;
  private static final long COMPILER_POLL_NANOS = 2_000_000L;
  private static final long COLLECTION_TIMEOUT_MILLIS = 5_000;

  /**
   * HotSpot frees the memory that compilations have left every 5 s (ChunkPoolCleaner in
   * src/hotspot/share/memory/arena.cpp). A JVM that is frozen before has that still to do in each
   * of its clones, at once, at the price of hundreds of copied pages.
   */
  private static final long HOUSEKEEPING_NANOS = 5_200_000_000L;

  /** Garbage may hold more garbage by a finaliser or cleaner, which the next collection finds. */
  private static final int COLLECTIONS = 2;

  private static final String EMPTY_QUEUE = "Empty";

  private final Clock clock;
  private final DiagnosticCommands commands;
  private final Collector collector;

  Quiescer(Clock clock, DiagnosticCommands commands, Collector collector) {
    this.clock = clock;
    this.commands = commands;
    this.collector = collector;
  }

  /** Quiets the JVM that it runs in. */
  public static Quiescer ofThisJvm(Clock clock) {
    return new Quiescer(clock, new DiagnosticCommands.InProcess(), new Collector.OfThisJvm());
  }

  /**
   * Does all it can; what it could not is in the answer, a sentence each.
   *
   * @param warmed whether the function was called often: then the compilers have left much, and the
   *     JVM gets the time to put it away
   */
  public List<String> quiesce(boolean warmed) {
    List<String> notes = new ArrayList<>(awaitCompilers());
    collect(notes);
    if (warmed) {
      clock.pause(HOUSEKEEPING_NANOS);
    }
    trim(notes);
    return notes;
  }

  /** Waits until the compilers are idle; why that cannot be waited for is in the answer. */
  public List<String> awaitCompilers() {
    long startNanos = clock.nanoTime();
    try {
      while (!isIdle(commands.run("Compiler.queue"))) {
        if (clock.nanoTime() - startNanos >= COMPILER_TIMEOUT_NANOS) {
          return List.of(
              "The compilers were still busy after "
                  + COMPILER_TIMEOUT_NANOS / 1_000_000_000L
                  + " s; clones will compile the rest.");
        }
        clock.pause(COMPILER_POLL_NANOS);
      }
      return List.of();
    } catch (DiagnosticCommands.UnavailableException e) {
      return List.of("Whether the compilers are idle could not be asked (" + e.getMessage() + ").");
    }
  }

  /** The number of the latest compilation whose code is there; 0 if that cannot be told. */
  public int latestCompilation() {
    try {
      return latest(commands.run("Compiler.codelist"));
    } catch (DiagnosticCommands.UnavailableException e) {
      return 0;
    }
  }

  /** Of a list whose lines begin with numbers, the highest. */
  static int latest(String codeList) {
    int latest = 0;
    int line = 0;
    while (line < codeList.length()) {
      int number = 0;
      int at = line;
      while (at < codeList.length() && Character.digit(codeList.charAt(at), 10) >= 0) {
        number = number * 10 + Character.digit(codeList.charAt(at++), 10);
      }
      latest = Math.max(latest, number);
      int end = codeList.indexOf('\n', at);
      line = end < 0 ? codeList.length() : end + 1;
    }
    return latest;
  }

  /** True if the list names no method: neither one being compiled nor one that waits. */
  static boolean isIdle(String queues) {
    return queues
        .lines()
        .map(String::strip)
        .allMatch(line -> line.isEmpty() || line.endsWith(":") || line.equals(EMPTY_QUEUE));
  }

  private void collect(List<String> notes) {
    for (int i = 0; i < COLLECTIONS; i++) {
      if (!collector.collect(COLLECTION_TIMEOUT_MILLIS)) {
        notes.add(
            "Garbage was not collected within "
                + COLLECTION_TIMEOUT_MILLIS / 1_000
                + " s of asking (-XX:+DisableExplicitGC prevents it); clones start with more"
                + " memory.");
        return;
      }
    }
  }

  private void trim(List<String> notes) {
    try {
      commands.run("System.trim_native_heap");
    } catch (DiagnosticCommands.UnavailableException e) {
      notes.add("Free native memory was not given back (" + e.getMessage() + ").");
    }
  }
}
