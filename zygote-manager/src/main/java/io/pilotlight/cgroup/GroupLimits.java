package io.pilotlight.cgroup;

/**
 * What the processes of a group may use together.
 *
 * @param memoryBytes memory
 * @param pids processes and threads
 * @param cpuMillis thousandths of a processor; 0 for as much as there is
 */
public record GroupLimits(long memoryBytes, int pids, int cpuMillis) {
  /** As much as there is of everything. */
  public static final GroupLimits NONE = new GroupLimits(Long.MAX_VALUE, Integer.MAX_VALUE, 0);
}
