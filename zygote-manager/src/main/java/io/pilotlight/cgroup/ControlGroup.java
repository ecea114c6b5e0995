package io.pilotlight.cgroup;

import io.pilotlight.linux.Fd;
import io.pilotlight.linux.OpenFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A group for one process and what that starts; when they have ended it can be used again. In v1 it
 * is a directory in each hierarchy. Thread-safe.
 */
public final class ControlGroup {
  private static final Logger LOG = LoggerFactory.getLogger(ControlGroup.class);

  /** With more than this part of its limit still charged to it, a group is not used again. */
  private static final int KEPT_PART = 4;

  private final GroupFiles files;
  private final String name;
  private final Map<Controller, Path> directories;
  private final GroupLimits limits;
  private final List<Fd> descriptors = new ArrayList<>();
  private volatile long memoryKillsBefore;
  private volatile long pidsRefusedBefore;

  private ControlGroup(
      GroupFiles files, String name, Map<Controller, Path> directories, GroupLimits limits) {
    this.files = files;
    this.name = name;
    this.directories = new EnumMap<>(directories);
    this.limits = limits;
  }

  static ControlGroup create(
      GroupFiles files,
      String name,
      Map<Controller, Path> directories,
      GroupLimits limits,
      boolean atBirth)
      throws IOException {
    ControlGroup group = new ControlGroup(files, name, directories, limits);
    boolean complete = false;
    try {
      for (Path directory : group.distinct()) {
        Files.createDirectories(directory);
        group.descriptors.add(
            atBirth ? OpenFile.directory(directory) : OpenFile.writeOnly(files.entry(directory)));
      }
      if (limits.equals(GroupLimits.NONE)) {
        group.relax();
      } else {
        group.limit();
      }
      complete = true;
      return group;
    } finally {
      if (!complete) {
        group.tryToRemove();
      }
    }
  }

  private void limit() throws IOException {
    files.limitMemory(directory(Controller.MEMORY), limits.memoryBytes());
    files.limitPids(directory(Controller.PIDS), limits.pids());
    Path cpu = directories.get(Controller.CPU);
    if (cpu != null) {
      files.limitCpu(cpu, limits.cpuMillis());
    }
  }

  private Path directory(Controller controller) {
    return Objects.requireNonNull(directories.get(controller), controller.toString());
  }

  private Set<Path> distinct() {
    return new LinkedHashSet<>(directories.values());
  }

  /** Its name below the parent. */
  public String name() {
    return name;
  }

  /**
   * By which a process is born in it, or enters it as long as it has one thread; see {@link
   * ControlGroups#atBirth}. They belong to this group.
   */
  public List<Fd> descriptors() {
    return descriptors;
  }

  /** Moves a process into it, with all its threads. */
  public void add(long pid) throws IOException {
    for (Path directory : distinct()) {
      GroupFiles.write(directory.resolve("cgroup.procs"), Long.toString(pid));
    }
  }

  /** Lifts all limits. */
  public void relax() throws IOException {
    files.relaxMemory(directory(Controller.MEMORY));
    files.relaxPids(directory(Controller.PIDS));
    Path cpu = directories.get(Controller.CPU);
    if (cpu != null) {
      files.limitCpu(cpu, 0);
    }
  }

  /** How many of its processes were killed because its memory was used up, in this use. */
  public long memoryKills() {
    try {
      return files.memoryKills(directory(Controller.MEMORY)) - memoryKillsBefore;
    } catch (IOException e) {
      LOG.warn("control group {} does not tell its events", name, e);
      return 0;
    }
  }

  /** How often it was refused a process or thread, in this use. */
  public long pidsRefused() {
    try {
      return files.pidsRefused(directory(Controller.PIDS)) - pidsRefusedBefore;
    } catch (IOException e) {
      LOG.warn("control group {} does not tell its events", name, e);
      return 0;
    }
  }

  /**
   * Ends what is left in it, and makes it ready for another use. Waits for their end.
   *
   * @return false if it cannot be used again, and is to be removed
   */
  public boolean recycle() {
    try {
      boolean left = false;
      for (Path directory : distinct()) {
        left |= !GroupMembers.end(directory).isEmpty();
      }
      if (left) {
        // Ending them has changed it.
        files.limitPids(directory(Controller.PIDS), limits.pids());
      }
      Path memory = directory(Controller.MEMORY);
      memoryKillsBefore = files.memoryKills(memory);
      pidsRefusedBefore = files.pidsRefused(directory(Controller.PIDS));
      return files.memoryBytes(memory) < limits.memoryBytes() / KEPT_PART;
    } catch (IOException e) {
      LOG.warn("control group {} cannot be used again: {}", name, e.getMessage());
      return false;
    }
  }

  /** Waits until nobody is in it, for at most so long. */
  public void awaitEmpty(Duration atMost) throws IOException {
    for (Path directory : distinct()) {
      GroupMembers.awaitNone(directory, atMost);
    }
  }

  /** Ends what is left in it, and removes it. Waits for their end. */
  public void remove() throws IOException {
    descriptors.forEach(Fd::close);
    for (Path directory : distinct()) {
      GroupMembers.end(directory);
      GroupMembers.remove(directory);
    }
  }

  private void tryToRemove() {
    try {
      remove();
    } catch (IOException e) {
      LOG.warn("control group {} cannot be removed: {}", name, e.getMessage());
    }
  }
}
