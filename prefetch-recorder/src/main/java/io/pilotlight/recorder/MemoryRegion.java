package io.pilotlight.recorder;

/**
 * A part of a process's memory that is looked at as one.
 *
 * @param start address of its first byte
 * @param end address of the first byte after it
 * @param kind what a page in it means
 */
public record MemoryRegion(long start, long end, Kind kind) {
  /** What is there. */
  public enum Kind {
    /** Writable and private: a page that a clone has written is the clone's own. */
    WRITABLE,
    /** From a file and never written: a page that is mapped was touched. */
    FILE
  }
}
