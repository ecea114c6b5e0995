package io.pilotlight.zygote;

import io.pilotlight.recorder.WorkingSetReport;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A frozen, warmed JVM of one function. Thread-safe: any number of threads may fork it at once. */
public interface Zygote extends AutoCloseable {
  /** Where it is in its life. */
  enum State {
    /** Its JVM is starting, initialising, warming or being frozen. */
    BUILDING,
    /** It can be forked. */
    FROZEN,
    /** Its process has ended. */
    LOST
  }

  /** Where its memory is. */
  enum Kind {
    /** It was built here, and its memory is its own. */
    MEMORY("fork"),
    /** It was restored from an image, whose pages it has mapped. */
    IMAGE("image");

    private final String engine;

    Kind(String engine) {
      this.engine = engine;
    }

    /** What makes its clones, as metrics have it. */
    public String engine() {
      return engine;
    }
  }

  /** Where its memory is. */
  Kind kind();

  /** A name that no other zygote of this data directory has or had. */
  String id();

  /** Its process id. */
  long pid();

  /** What it hosts. */
  FunctionSpec spec();

  /** Where it is in its life. */
  State state();

  /** How many threads each clone gets. */
  int threads();

  /** Resident memory, read from /proc at this moment; 0 if it is lost. */
  long residentBytes();

  /**
   * What happened while it was built that the owner of the function should know: a warm-up call
   * that failed, ...
   */
  List<String> warnings();

  /** What its clones replay. */
  Replay replay();

  /**
   * Switches the replay on or off for clones that are made from now on; it is on at first. What
   * first calls touch is recorded all the same.
   */
  void replaying(boolean on);

  /**
   * What its first calls touch. Reads the zygote's memory: takes milliseconds.
   *
   * @throws IOException if it is lost
   */
  WorkingSetReport workingSet() throws IOException;

  /** Whether an earlier daemon built it. */
  boolean adopted();

  /**
   * Makes a clone that is to be used at once. Returns when the request for it has been sent: {@link
   * FunctionJvm#invoke} can be called immediately, and reports a fork that failed.
   *
   * @param replay whether it replays, if that is switched on
   * @throws FunctionJvm.NotStartedException if the zygote is lost, or its socket takes no more
   */
  FunctionJvm fork(boolean replay) throws FunctionJvm.NotStartedException;

  /** The same, with replay. */
  default FunctionJvm fork() throws FunctionJvm.NotStartedException {
    return fork(true);
  }

  /**
   * Makes a clone that waits, with one thread, until its first {@link FunctionJvm#invoke}. Returns
   * when it exists.
   *
   * @throws FunctionJvm.NotStartedException if the zygote is lost, or the fork failed
   */
  FunctionJvm forkAhead() throws FunctionJvm.NotStartedException;

  /** Completes when it is lost, with how it ended; also after {@link #close}. */
  CompletableFuture<ExitStatus> lost();

  /**
   * Ends it as soon as each clone that it has been asked for exists; it makes no more. Its clones
   * live on. Does not wait.
   */
  void retire();

  /** Ends it. Its clones live on. Idempotent. */
  @Override
  void close();
}
