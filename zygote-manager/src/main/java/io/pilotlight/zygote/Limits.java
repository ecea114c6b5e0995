package io.pilotlight.zygote;

/**
 * What one process of a function, with those that it starts, may use.
 *
 * @param memoryMib memory; the heap gets a part of it, see {@link JvmCommand}
 * @param cpuMillis thousandths of a processor; 0 for as much as there is
 * @param pids processes and threads, the JVM's own included
 * @param openFiles descriptors of each process
 * @param fileSizeMib size of a file that it writes; 0 for any
 */
public record Limits(int memoryMib, int cpuMillis, int pids, int openFiles, int fileSizeMib) {
  /** As AWS Lambda has it. */
  public static final int DEFAULT_PIDS = 1_024;

  /** As AWS Lambda has it. */
  public static final int DEFAULT_OPEN_FILES = 1_024;

  /** The rest is for code, metaspace, thread stacks, direct buffers and the collector. */
  private static final int HEAP_PERCENT = 75;

  private static final int LEAST_MIB = 16;

  /** Even a small function has some thousand classes. */
  private static final int LEAST_METASPACE_MIB = 128;

  /**
   * What a JVM takes beside what its function may use: its libraries, compiled code, classes, and
   * what its compilers take while they work. A clone shares some of that with its zygote, but with
   * its heap full, G1 and both compilers at work its own was more than 64.
   */
  private static final int JVM_MIB = 256;

  /** Where what is reserved is counted, and not what is touched. */
  private static final int JVM_RESERVED_MIB = 512;

  private static final int MIB_SHIFT = 20;

  /** Only the memory is limited to other than the defaults. */
  public static Limits ofMemory(int memoryMib) {
    return new Limits(memoryMib, 0, DEFAULT_PIDS, DEFAULT_OPEN_FILES, 0);
  }

  /** What the Java heap may take. */
  int heapMib() {
    return Math.max(LEAST_MIB, memoryMib * HEAP_PERCENT / 100);
  }

  /** What direct buffers may take. */
  int directMib() {
    return Math.max(LEAST_MIB, memoryMib - heapMib());
  }

  /** What classes may take. */
  int metaspaceMib() {
    return Math.max(LEAST_METASPACE_MIB, memoryMib / 2);
  }

  /** What may be charged to one process. */
  int jvmMib() {
    return memoryMib + JVM_MIB;
  }

  /**
   * What a process may reserve where nothing counts what it touches: it has memory for the JVM
   * itself beside that for its function.
   */
  int reservedMib() {
    return memoryMib + JVM_RESERVED_MIB;
  }

  /** How many processors a JVM is to think that it has; 0 for all. */
  int processors() {
    return (cpuMillis + 999) / 1000;
  }

  static long bytes(int mib) {
    return (long) mib << MIB_SHIFT;
  }
}
