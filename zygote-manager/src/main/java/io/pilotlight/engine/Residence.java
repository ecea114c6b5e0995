package io.pilotlight.engine;

import java.util.List;

/**
 * What an image must know of a fork server that neither its memory nor /proc shows.
 *
 * @param region where the fork server's region begins
 * @param signalActions how it takes signals
 * @param leader its leader
 * @param descriptors what its clones find under each number, beside the standard ones, the channel
 *     and the listening socket
 * @param brk end of its data segment, see brk(2): where it is not [heap] any more, the kernel shows
 *     it nowhere
 * @param frozenNanos its CLOCK_MONOTONIC when it was frozen; the clocks of its clones go on from
 *     there
 * @param frozenBootNanos its CLOCK_BOOTTIME, likewise
 */
public record Residence(
    long region,
    List<SignalAction> signalActions,
    Leader leader,
    List<KeptDescriptor> descriptors,
    long brk,
    long frozenNanos,
    long frozenBootNanos) {

  /** Copies the lists. */
  public Residence {
    signalActions = List.copyOf(signalActions);
    descriptors = List.copyOf(descriptors);
  }

  /** What is done about a signal: struct kernel_sigaction. */
  public record SignalAction(int signal, long handler, long flags, long restorer, long mask) {}

  /**
   * What the leader of a fork server has that is not in its frame, because its clones inherit it.
   *
   * @param threadPointer its thread-local storage
   * @param rseqAddress its restartable-sequences area, 0 if it has none
   * @param rseqBytes size of that
   * @param rseqSignature what precedes each abort handler
   * @param name its name (comm)
   * @param nice its nice value
   * @param timerSlackNanos its timer slack, or -1
   */
  public record Leader(
      long threadPointer,
      long rseqAddress,
      int rseqBytes,
      int rseqSignature,
      String name,
      int nice,
      long timerSlackNanos) {}

  /**
   * A descriptor of a fork server.
   *
   * @param number its number
   * @param kind what is there
   * @param target what the kernel shows it as: often a path
   * @param flags as of open(2)
   */
  public record KeptDescriptor(int number, Kind kind, String target, int flags) {
    /** What a clone does about it. */
    public enum Kind {
      /** Each clone puts one of its own there. */
      REPLACED,
      /** Clones inherit a device without state, or the mere name of a file. */
      NAMED,
      /** Clones inherit a socket whose other end is closed. */
      DEAD_END,
      /** Clones share it with the fork server, as a rule allows: no image can hold that. */
      SHARED
    }
  }
}
