package io.pilotlight.cgroup;

import io.pilotlight.linux.Processes;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A parent of groups with limits, in each hierarchy that is used, named after whom they belong to.
 * What an earlier process of that name has left there can be listed and removed. Thread-safe.
 *
 * <p>In v2 a group with controllers for its children has no processes. So this process moves into a
 * leaf beside the others, and back at the end.
 */
public final class ControlGroups implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlGroups.class);
  private static final String PREFIX = "pilotlight-";
  private static final String DAEMON = "daemon-";

  private final GroupFiles files;
  private final Delegation delegation;
  private final Map<Controller, Path> parents;
  private final boolean atBirth;

  private ControlGroups(
      GroupFiles files, Delegation delegation, Map<Controller, Path> parents, boolean atBirth) {
    this.files = files;
    this.delegation = delegation;
    this.parents = parents;
    this.atBirth = atBirth;
  }

  /**
   * Prepares them.
   *
   * @param owner part of their names
   * @throws IOException naming the file that refused; nothing is left then
   */
  public static ControlGroups open(Delegation.Unified unified, String owner) throws IOException {
    Path own = unified.own();
    Path parent = own.resolve(PREFIX + owner);
    Path leaf = own.resolve(PREFIX + DAEMON + owner);
    Map<Controller, Path> parents = new EnumMap<>(Controller.class);
    unified.controllers().forEach(controller -> parents.put(controller, parent));
    ControlGroups groups =
        new ControlGroups(GroupFiles.V2, unified, parents, Processes.hasClone3());
    boolean complete = false;
    try {
      Files.createDirectories(parent);
      if (!unified.top()) {
        Files.createDirectories(leaf);
        enter(leaf);
      }
      GroupFiles.enable(own, unified.controllers());
      GroupFiles.enable(parent, unified.controllers());
      complete = true;
      return groups;
    } finally {
      if (!complete) {
        groups.close();
      }
    }
  }

  /** The same in v1. */
  public static ControlGroups open(Delegation.Legacy legacy, String owner) throws IOException {
    Map<Controller, Path> parents = new EnumMap<>(Controller.class);
    legacy.own().forEach((controller, own) -> parents.put(controller, own.resolve(PREFIX + owner)));
    ControlGroups groups = new ControlGroups(GroupFiles.V1, legacy, parents, false);
    boolean complete = false;
    try {
      for (Path parent : groups.distinctParents()) {
        Files.createDirectories(parent);
      }
      complete = true;
      return groups;
    } finally {
      if (!complete) {
        groups.close();
      }
    }
  }

  private static void enter(Path group) throws IOException {
    GroupFiles.write(group.resolve("cgroup.procs"), Long.toString(ProcessHandle.current().pid()));
  }

  private Set<Path> distinctParents() {
    return new LinkedHashSet<>(parents.values());
  }

  /** Which controllers they have. */
  public Set<Controller> controllers() {
    return parents.keySet();
  }

  /** Whether a process can be born in one of them, by the descriptor of its directory. */
  public boolean atBirth() {
    return atBirth;
  }

  /** In v1 each hierarchy costs a clone a write, so only those that limit something are used. */
  private Map<Controller, Path> used(boolean cpu) {
    Map<Controller, Path> used = new EnumMap<>(parents);
    if (!cpu && files == GroupFiles.V1) {
      used.remove(Controller.CPU);
    }
    return used;
  }

  /**
   * What a group consists of, in the order of its descriptors.
   *
   * @param cpu whether it limits processor time
   */
  public List<String> parts(boolean cpu) {
    return files == GroupFiles.V2
        ? List.of("v2")
        : used(cpu).keySet().stream().map(Controller::toString).toList();
  }

  /**
   * Makes a group.
   *
   * @param atBirth whether processes are born in it; only with {@link #atBirth()}
   * @throws IOException naming the file that refused; nothing is left then
   */
  public ControlGroup create(String name, GroupLimits limits, boolean atBirth) throws IOException {
    Map<Controller, Path> directories = new EnumMap<>(used(limits.cpuMillis() > 0));
    directories.replaceAll((controller, parent) -> parent.resolve(name));
    return ControlGroup.create(files, name, directories, limits, atBirth);
  }

  /** The names of all that are there, whoever made them. */
  public Set<String> names() throws IOException {
    Set<String> names = new TreeSet<>();
    for (Path parent : distinctParents()) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, Files::isDirectory)) {
        entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
      } catch (NoSuchFileException | NotDirectoryException e) {
        // It is made again with the next group.
      }
    }
    return names;
  }

  /**
   * Ends what lives in groups that are not to be kept, and removes them.
   *
   * @return one sentence for each process that was ended
   */
  public List<String> removeAllBut(Predicate<String> keep) throws IOException {
    List<String> ended = new ArrayList<>();
    for (String name : names()) {
      if (keep.test(name)) {
        continue;
      }
      for (Path parent : distinctParents()) {
        Path group = parent.resolve(name);
        for (int pid : GroupMembers.end(group)) {
          ended.add("Process " + pid + ", left in control group " + group + ", was ended.");
        }
        GroupMembers.remove(group);
      }
    }
    return ended;
  }

  /** Removes them; those with processes in them stay, and are logged. */
  @Override
  public void close() {
    for (Path parent : distinctParents()) {
      tryTo(() -> GroupMembers.remove(parent));
    }
    if (delegation instanceof Delegation.Unified unified && !unified.top()) {
      tryTo(() -> GroupFiles.disable(unified.own(), unified.controllers()));
      tryTo(() -> enter(unified.own()));
      for (Path parent : distinctParents()) {
        String name = String.valueOf(parent.getFileName());
        Path leaf = parent.resolveSibling(PREFIX + DAEMON + name.substring(PREFIX.length()));
        tryTo(() -> GroupMembers.remove(leaf));
      }
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void tryTo(Step step) {
    try {
      step.run();
    } catch (IOException e) {
      LOG.warn("a control group cannot be removed: {}", e.getMessage());
    }
  }

  @Override
  public String toString() {
    return delegation.toString();
  }
}
